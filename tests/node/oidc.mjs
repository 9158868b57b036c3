// node oidc.mjs PORT CLIENT SECRET REDIRECT_URI: an OpenID provider whose login form believes everybody's
// name. Who is called `unproved...` has an address that is not proved; `mute...` has none.
import { Provider } from "oidc-provider";

const [port, client, secret, redirect] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: client,
      client_secret: secret,
      redirect_uris: [redirect],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
  ],
  cookies: { keys: ["a key of this process"] },
  pkce: { required: () => true },
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["given_name", "family_name", "locale"],
  },
  issueRefreshToken: () => true,
  async findAccount(_context, id) {
    return {
      accountId: id,
      async claims() {
        const address = id.startsWith("mute")
          ? {}
          : { email: `${id}@example.org`, email_verified: !id.startsWith("unproved") };
        return { sub: id, given_name: "Ada", family_name: "Lovelace", locale: "de-AT", ...address };
      },
    };
  },
  // Two forms, for login and consent.
  features: { devInteractions: { enabled: true } },
});
provider.listen(Number(port), "127.0.0.1");
