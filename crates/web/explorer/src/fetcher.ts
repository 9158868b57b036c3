import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import { type ExecutionResult, Kind, type OperationDefinitionNode, parse } from "graphql";
import { createClient, type Sink } from "graphql-ws";
import { credentialHeaders, keepCredential } from "./credential";

type RequestHeaders = Record<string, string>;
type Request = FetcherParams & { operationName?: string };

const ENDPOINT = "/graphql";
/** Between pings, in milliseconds: a proxy cuts a silent socket after a minute or so. */
const KEEP_ALIVE = 20_000;

/** Queries and mutations by POST, subscriptions by graphql-transport-ws, both to our own origin. */
export const fetcher: Fetcher = (parameters, options) => {
  const typed: RequestHeaders = options?.headers ?? {};
  // The schema is the same for everybody; a stale token must not take the documentation away.
  if (parameters.operationName === "IntrospectionQuery") return post(parameters, typed);
  const headers = withCredential(typed);
  const operation = operationOf(parameters);
  const request = { ...parameters, operationName: operation?.name?.value };
  return operation?.operation === "subscription"
    ? subscription(request, headers)
    : postAsViewer(request, headers);
};

/**
 * The operation that shall run, `undefined` where only the server can say what is wrong. Read from
 * the text: for a moment after another tab is opened, GraphiQL still names the operation before.
 */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  try {
    const operations = parse(query).definitions.filter(
      (definition) => definition.kind === Kind.OPERATION_DEFINITION,
    );
    return operations.length === 1
      ? operations[0]
      : operations.find((operation) => operation.name?.value === operationName);
  } catch {
    return undefined;
  }
}

/** What the headers editor names wins over the credential bar, whatever its capitals. */
function withCredential(typed: RequestHeaders): RequestHeaders {
  const named = new Set(Object.keys(typed).map((name) => name.toLowerCase()));
  const held = Object.entries(credentialHeaders());
  return { ...Object.fromEntries(held.filter(([name]) => !named.has(name.toLowerCase()))), ...typed };
}

/** Mutations whose answer tells the token that holds from then on. */
const ADMITTING = ["signIn", "signUp", "confirmPassword", "changePassword"];

/** Takes the token of a sign-in into the credential bar, and drops one that is of no more use. */
async function postAsViewer(request: FetcherParams, headers: RequestHeaders): Promise<ExecutionResult> {
  const result = await post(request, headers);
  const data = result.data as Record<string, { token?: unknown } | null> | null | undefined;
  const token = ADMITTING.map((field) => data?.[field]?.token).find(Boolean);
  const refused = result.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED");
  if (typeof token === "string") keepCredential({ token });
  else if (refused || data?.signOut) keepCredential({ token: "" });
  return result;
}

async function post(request: FetcherParams, headers: RequestHeaders): Promise<ExecutionResult> {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json",
      ...headers,
    },
    body: JSON.stringify(request),
  });
  // Something in between answered: its words help more than a JSON syntax error.
  if (!response.headers.get("Content-Type")?.includes("json")) {
    throw new Error(`HTTP ${response.status}: ${(await response.text()).slice(0, 500)}`);
  }
  return response.json();
}

/** One socket per running subscription, so that each carries its own connection parameters. */
function subscription(
  request: Request,
  headers: RequestHeaders,
): Observable<ExecutionResult> {
  const client = createClient({
    url: new URL(ENDPOINT, location.href).href.replace(/^http/, "ws"),
    connectionParams: headers,
    keepAlive: KEEP_ALIVE,
    // A reconnection without the last cursor would hide a gap; the pane shows the close instead.
    retryAttempts: 0,
  });
  const subscribe = (sink: Sink<ExecutionResult>) => ({
    unsubscribe: client.subscribe(request, {
      ...sink,
      error: (cause) => sink.error(readable(cause)),
    }),
  });
  return { subscribe } as Observable<ExecutionResult>;
}

/** A close of the socket as an error with words; anything else is readable as it comes. */
function readable(cause: unknown): unknown {
  if (!(cause instanceof CloseEvent)) return cause;
  return new Error(`The server closed the subscription: ${cause.code} ${cause.reason}`.trim());
}
