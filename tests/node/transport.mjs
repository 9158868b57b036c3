// node transport.mjs URL TOKEN EVENT PATRON: the clients that others use, graphql-ws and graphql-sse,
// against a running server. Both follow an event's changes from its cursor; then the patron arrives
// and leaves. Prints one JSON line with what was heard, and fails unless both heard just that.
import { createClient as createSocketClient } from "graphql-ws";
import { createClient as createStreamClient } from "graphql-sse";
import WebSocket from "ws";

const PATIENCE = 20_000;
const [url, token, eventId, patronId] = process.argv.slice(2);
if (!patronId) {
  console.error("usage: node transport.mjs URL TOKEN EVENT PATRON");
  process.exit(2);
}
setTimeout(() => fail("nothing more was heard"), PATIENCE).unref();
const headers = { authorization: `Bearer ${token}` };

const { data } = await post("query($id: ID!) { event(id: $id) { changeCursor } }", { id: eventId });
const subscription = {
  query: `subscription($eventId: ID, $after: String) { attendanceChanged(eventId: $eventId, after: $after) {
    changes { sequence type patron { id } } caughtUp } }`,
  variables: { eventId, after: data.event.changeCursor },
};
const socket = createSocketClient({
  url: url.replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryAttempts: 0,
});
const streams = createStreamClient({ url, headers, retryAttempts: 0 });

const bySocket = follow(socket);
const byStream = follow(streams);
await Promise.all([bySocket.begun, byStream.begun]);
for (const field of ["checkIn", "checkOut"]) {
  const answer = await post(
    `mutation($input: CheckInInput!) { ${field}(input: $input) { outcome errors { message } } }`,
    { input: { eventId, patronId } },
  );
  if (!answer.data?.[field]?.outcome) fail(JSON.stringify(answer));
}
const heard = { socket: await bySocket.changes, stream: await byStream.changes };
// A query travels on a socket, too.
const viewer = await single(socket, "{ viewer { user { username } } }");
if (!viewer.data?.viewer?.user) fail(JSON.stringify(viewer));
await socket.dispose();
streams.dispose();
const types = heard.socket.map((change) => change.type).join();
if (types !== "CHECKED_IN,CHECKED_OUT") fail(`the socket heard ${JSON.stringify(heard.socket)}`);
if (JSON.stringify(heard.socket) !== JSON.stringify(heard.stream)) fail(`they differ: ${JSON.stringify(heard)}`);
if (heard.socket.some((change) => change.patron.id !== patronId)) fail("somebody else came");
console.log(JSON.stringify(heard));
process.exit(0);

/** Two changes of a subscription, and the moment at which its first batch said that it is live. */
function follow(client) {
  const changes = [];
  let live, done;
  const begun = new Promise((resolve) => (live = resolve));
  const two = new Promise((resolve) => (done = resolve));
  client.subscribe(subscription, {
    next: ({ data, errors }) => {
      if (errors) fail(JSON.stringify(errors));
      live();
      changes.push(...data.attendanceChanged.changes);
      if (changes.length >= 2) done(changes);
    },
    error: (error) => fail(`a subscription broke: ${JSON.stringify(error)} ${error}`),
    complete: () => {},
  });
  return { begun, changes: two };
}

function single(client, query) {
  return new Promise((resolve, reject) => {
    client.subscribe({ query }, { next: resolve, error: reject, complete: () => {} });
  });
}

async function post(query, variables) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
