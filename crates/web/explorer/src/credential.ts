import { useSyncExternalStore } from "react";

/** Who asks, and for which organization; an empty string is "not given". */
export interface Credential {
  token: string;
  organization: string;
}

const STORAGE_KEY = "rollcall:credential";
const NONE: Credential = { token: "", organization: "" };

let current = stored();
const listeners = new Set<() => void>();

/** The credential the bar holds, kept up to date in the component that calls it. */
export function useCredential(): Credential {
  return useSyncExternalStore(subscribe, () => current);
}

/** Keeps the credential for this browser tab only: sessionStorage dies with the tab. */
export function keepCredential(change: Partial<Credential>): void {
  current = { ...current, ...change };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(current));
  for (const listener of listeners) listener();
}

/** Forgets token and organization, here and in the browser tab's storage. */
export function forgetCredential(): void {
  keepCredential(NONE);
}

/** The request headers, and equally the connection parameters, that the credential stands for. */
export function credentialHeaders(): Record<string, string> {
  return {
    ...(current.token && { Authorization: `Bearer ${current.token}` }),
    ...(current.organization && { "Rollcall-Organization": current.organization }),
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): Credential {
  try {
    return { ...NONE, ...JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "{}") };
  } catch {
    return NONE;
  }
}
