// node audits.mjs URL [TOKEN]: the 61 GraphQL-over-HTTP audits of graphql-http. Prints one JSON
// line { total, ok, failed }, and fails unless every audit is ok (a notice or warning is not).
import { serverAudits } from "graphql-http";

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error("usage: node audits.mjs URL [TOKEN]");
  process.exit(2);
}
const fetchFn = (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (token) headers.set("authorization", `Bearer ${token}`);
  return fetch(input, { ...init, headers });
};
const failed = [];
const audits = serverAudits({ url, fetchFn });
for (const { id, name, fn } of audits) {
  const { status, reason } = await fn();
  if (status !== "ok") failed.push({ id, name, status, reason });
}
console.log(JSON.stringify({ total: audits.length, ok: audits.length - failed.length, failed }));
// A suite that shrinks proves nothing.
process.exit(failed.length === 0 && audits.length === 61 ? 0 : 1);
