import { forgetCredential, keepCredential, useCredential } from "./credential";

/** Where a token is pasted, or arrives by itself when a sign-in succeeds. */
export function CredentialBar() {
  const { token, organization } = useCredential();
  return (
    <header className="credential-bar">
      <h1>Rollcall</h1>
      <label>
        Token
        <input
          className="credential-token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="run SignIn, or paste one"
          value={token}
          onChange={(event) => keepCredential({ token: bareToken(event.target.value) })}
        />
      </label>
      <label>
        Organization
        <input
          className="credential-organization"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          placeholder="slug (optional)"
          value={organization}
          onChange={(event) => keepCredential({ organization: event.target.value.trim() })}
        />
      </label>
      <button type="button" onClick={forgetCredential} disabled={!token && !organization}>
        Forget
      </button>
      <p role="status" className={token ? "credential-held" : undefined}>
        {token
          ? "Sent with every operation, kept in this browser tab only."
          : "No token: run SignIn. If this browser signed in before, its cookie counts."}
      </p>
    </header>
  );
}

/** People paste the whole header as often as the token. */
function bareToken(pasted: string): string {
  return pasted.trim().replace(/^(Authorization:\s*)?Bearer\s+/i, "");
}
