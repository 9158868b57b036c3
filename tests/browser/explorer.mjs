// Drives the explorer of a running server in headless Chromium, as a newcomer would: sign in, list
// events, open the documentation, subscribe, and see a check-in made elsewhere arrive.
//
//     npm ci
//     node explorer.mjs http://127.0.0.1:8080/ LOGIN PASSWORD explorer.png
//
// Prints one line of JSON with what it saw. Exits with 1 and a sentence when something is not as it
// should be; a console error, a violation of the content security policy, and a request to another
// host count. The browser is $CHROMIUM, or /usr/bin/chromium.

import { chromium } from "playwright-core";

/** How long anything on the page may take to happen, in milliseconds. */
const PATIENCE = 20_000;
/** Check-ins to try: the rules may refuse some, for a closed window for example. */
const ATTEMPTS = 10;

const [address, login, password, screenshot] = process.argv.slice(2);
if (!screenshot) fail("usage: node explorer.mjs URL LOGIN PASSWORD SCREENSHOT.png");
const origin = new URL(address).origin;
const complaints = [];

const browser = await chromium
  .launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
      "--disable-gpu",
      "--disable-background-networking",
      // Chromium's own sandbox refuses to run as root, which is what a container often is.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  })
  .catch((error) => fail(`Chromium does not start: ${error.message}`));
const page = await browser.newPage({ viewport: { width: 1440, height: 860 }, colorScheme: "light" });
page.setDefaultTimeout(PATIENCE);
let seen;
let failure;
try {
  watch(page);
  // The text behind an editor, whole: the page shows only the lines in view. GraphiQL 5 names them.
  await page.addInitScript(() => {
    globalThis.model = (name) =>
      globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith(name));
  });
  seen = await visit(page);
} catch (error) {
  failure = error.message;
}
await page.screenshot({ path: screenshot });
await browser.close();
if (failure) fail([failure, ...complaints].join("\n"));
if (complaints.length > 0) fail(complaints.join("\n"));
console.log(JSON.stringify({ ...seen, screenshot }));

async function visit(page) {
  const answer = await page.goto(address);
  const policy = answer.headers()["content-security-policy"] ?? "";
  expect(policy.includes("script-src 'self'"), `the page came with the policy "${policy}"`);
  await page
    .locator(".graphiql-execute-button")
    .waitFor()
    .catch(() => expect(false, "no GraphiQL on the page: was the explorer built?"));

  const { token, viewer } = await signIn(page);
  const events = await listEvents(page);
  const documentation = await openDocumentation(page);
  const checkInOperation = await operationOf(page, "CheckIn");
  const arrival = await subscribeAndCheckIn(page, token, checkInOperation);
  return {
    policy,
    signedInAs: viewer.user.username,
    events: events.length,
    attendances: events.reduce((sum, event) => sum + event.attendances.nodes.length, 0),
    documentation,
    ...arrival,
  };
}

async function signIn(page) {
  await openTab(page, "SignIn");
  const { data, errors } = await run(page, { login, password });
  const payload = data?.signIn;
  expect(payload?.token, `signing in gave no token: ${JSON.stringify(errors ?? payload?.errors)}`);
  const held = await page.locator(".credential-token").inputValue();
  expect(held === payload.token, "the token of the sign-in did not reach the credential bar");
  return payload;
}

async function listEvents(page) {
  await openTab(page, "Events");
  const answer = await run(page);
  const events = answer.data?.events?.nodes ?? [];
  expect(!answer.errors, `listing events failed: ${JSON.stringify(answer.errors)}`);
  expect(events.length > 0, "the list of events is empty");
  expect(events.some((event) => event.attendances.nodes.length > 0), "no event has attendances");
  const shown = page.locator(".graphiql-response .view-line", { hasText: events[0].title });
  await shown.first().waitFor();
  return events;
}

async function openDocumentation(page) {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const pane = page.locator(".graphiql-doc-explorer");
  await pane.getByText("Query", { exact: true }).click();
  await pane.getByText("events", { exact: true }).first().waitFor();
  return (await pane.innerText()).split("\n").filter(Boolean).slice(0, 4);
}

/** The text of an example, so that what is run elsewhere is the example too. */
async function operationOf(page, name) {
  await openTab(page, name);
  return page.evaluate(() => globalThis.model("operation.graphql").getValue());
}

async function subscribeAndCheckIn(page, token, checkInOperation) {
  await openTab(page, "AttendanceChanged");
  const [socket] = await Promise.all([page.waitForEvent("websocket"), start(page)]);
  await nextAnswer(page, (answer) => answer.data?.attendanceChanged?.caughtUp, "the subscription did not catch up");
  const { patron, event } = await checkSomeoneIn(token, checkInOperation);
  const arrived = (answer) =>
    answer.data?.attendanceChanged?.changes.some(
      (change) => change.type === "CHECKED_IN" && change.patron.name === patron.name && change.event.title === event.title,
    );
  const { data } = await nextAnswer(page, arrived, `the check-in of ${patron.name} did not arrive`);
  return { socket: socket.url(), checkedIn: patron.name, change: data.attendanceChanged.changes.at(-1) };
}

/** From outside the browser: the first registered patron whom the server lets in. */
async function checkSomeoneIn(token, checkInOperation) {
  const list = `{ events(first: 20) { nodes { id title status
    attendances(first: 20) { nodes { state patron { id name } } } } } }`;
  const { data } = await post(token, { query: list });
  const registered = data.events.nodes
    .toSorted((a, b) => (b.status === "ONGOING") - (a.status === "ONGOING"))
    .flatMap((event) =>
      event.attendances.nodes
        .filter((attendance) => attendance.state === "REGISTERED")
        .map((attendance) => ({ event, patron: attendance.patron })),
    );
  const refusals = [];
  for (const { event, patron } of registered.slice(0, ATTEMPTS)) {
    const variables = { eventId: event.id, patronId: patron.id };
    const answer = await post(token, { query: checkInOperation, operationName: "CheckIn", variables });
    if (answer.data?.checkIn?.attendance?.state === "CHECKED_IN") return { event, patron };
    refusals.push(answer.errors ?? answer.data?.checkIn);
  }
  throw new Error(`of ${registered.length} registered nobody could be checked in: ${JSON.stringify(refusals)}`);
}

async function post(token, body) {
  const answer = await fetch(new URL("/graphql", origin), {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json",
    },
    body: JSON.stringify(body),
  });
  const result = await answer.json();
  expect(result.data ?? result.errors, `POST /graphql answered ${answer.status}`);
  return result;
}

async function openTab(page, name) {
  await page.locator(".graphiql-tab-button", { hasText: name }).click();
  await page.locator(".graphiql-query-editor .view-line", { hasText: name }).first().waitFor();
}

/** Runs the operation of the open tab, with `variables` filled in when given; its answer. */
async function run(page, variables) {
  if (variables) {
    // Not by keystrokes: the editor closes quotes and braces as one types.
    await page.evaluate((text) => globalThis.model("variables.json").setValue(text), JSON.stringify(variables));
  }
  await start(page);
  return nextAnswer(page, () => true, "the operation was not answered");
}

/** Presses Run and records every answer from here on: the next one replaces it in the pane. */
async function start(page) {
  await page.evaluate(() => {
    globalThis.answers = [];
    globalThis.recording?.dispose();
    const pane = globalThis.model("response.json");
    globalThis.recording = pane.onDidChangeContent(() => {
      if (pane.getValue()) globalThis.answers.push(JSON.parse(pane.getValue()));
    });
  });
  await page.locator(".graphiql-execute-button").click();
}

/** The first answer since `start` that `matches`. */
async function nextAnswer(page, matches, otherwise) {
  const deadline = Date.now() + PATIENCE;
  let answers = [];
  while (Date.now() < deadline) {
    answers = await page.evaluate(() => globalThis.answers);
    const match = answers.find(matches);
    if (match) return match;
    await page.waitForTimeout(50);
  }
  throw new Error(`${otherwise}; the pane showed ${JSON.stringify(answers).slice(0, 2000)}`);
}

/** Collects what must not happen while the page lives. */
function watch(page) {
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console error: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught error: ${error.message}`));
  page.on("requestfailed", (request) => complaints.push(`request failed: ${request.url()}`));
  for (const kind of ["request", "websocket"]) {
    page.on(kind, (request) => {
      const url = new URL(request.url());
      const own = url.host === new URL(origin).host || ["data:", "blob:"].includes(url.protocol);
      if (!own) complaints.push(`a ${kind} left for another host: ${url}`);
    });
  }
}

function expect(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
