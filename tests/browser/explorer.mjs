// Drives the explorer of a running server in headless Chromium, by the steps of the README's "Try
// it": sign in, list what is on, subscribe, check somebody in from a second window, and see it
// arrive in the first. The documentation is opened on the way.
//
//     npm ci
//     node explorer.mjs http://127.0.0.1:8080/ LOGIN PASSWORD explorer.png
//
// Prints one line of JSON with what it saw. Exits with 1 and a sentence when something is not as it
// should be; a console error, a violation of the content security policy, and a request to another
// host count. The browser is $CHROMIUM, or /usr/bin/chromium.

import { chromium } from "playwright-core";

/** How long anything on the page may take to happen, in milliseconds. */
const PATIENCE = 60_000;

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
// One browser, so that its windows share their cookies and nothing else.
const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, colorScheme: "light" });
context.setDefaultTimeout(PATIENCE);
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
// The text behind an editor, whole: the page shows only the lines in view. GraphiQL 5 names them.
await context.addInitScript(() => {
  globalThis.model = (name) =>
    globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith(name));
});
const page = await context.newPage();
let seen;
let failure;
try {
  seen = await visit();
} catch (error) {
  failure = error.message;
}
await page.screenshot({ path: screenshot });
await browser.close();
if (failure) fail([failure, ...complaints].join("\n"));
if (complaints.length > 0) fail(complaints.join("\n"));
console.log(JSON.stringify({ ...seen, screenshot }));

async function visit() {
  const policy = await open(page);
  const tabs = await page.locator(".graphiql-tab-button").allInnerTexts();
  const viewer = await signIn();
  const { event, patron, listed } = await findSomeoneExpected();
  const documentation = await openDocumentation();
  const socket = await subscribe();

  const second = await context.newPage();
  await open(second);
  const outcome = await checkIn(second, event, patron);
  const change = await seeArrival(event, patron);
  return { policy, tabs, signedInAs: viewer.user.username, listed, documentation, socket, outcome, change };
}

/** Opens the explorer in a window, and gives the policy that it came with. */
async function open(window) {
  watch(window);
  const answer = await window.goto(address);
  const policy = answer.headers()["content-security-policy"] ?? "";
  expect(policy.includes("script-src 'self'"), `the page came with the policy "${policy}"`);
  await window
    .locator(".graphiql-execute-button")
    .waitFor()
    .catch(() => expect(false, "no GraphiQL on the page: was the explorer built?"));
  // A tab that is opened before the editor holds a text leaves it as it was.
  await window.locator(".graphiql-query-editor .view-line", { hasText: "(" }).first().waitFor();
  return policy;
}

async function signIn() {
  await openTab(page, "SignIn");
  const { data, errors } = await run(page, { login, password });
  const payload = data?.signIn;
  expect(payload?.token, `signing in gave no token: ${JSON.stringify(errors ?? payload?.errors)}`);
  const held = await page.locator(".credential-token").inputValue();
  expect(held === payload.token, "the token of the sign-in did not reach the credential bar");
  return payload.viewer;
}

/** Runs Events as it stands: what is on now, and the first of its patrons who is not here yet. */
async function findSomeoneExpected() {
  await openTab(page, "Events");
  const answer = await run(page);
  expect(!answer.errors, `listing events failed: ${JSON.stringify(answer.errors)}`);
  const event = answer.data.events.nodes[0];
  expect(event?.status === "ONGOING", `nothing is on: ${JSON.stringify(event)}`);
  const shown = page.locator(".graphiql-response .view-line", { hasText: event.title });
  await shown.first().waitFor();
  const attendances = event.attendances.nodes;
  const expected = attendances.find((attendance) => attendance.state === "REGISTERED");
  expect(expected, `nobody is expected among ${attendances.length}`);
  return { event, patron: expected.patron, listed: attendances.length };
}

async function openDocumentation() {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const pane = page.locator(".graphiql-doc-explorer");
  await pane.getByText("Query", { exact: true }).click();
  await pane.getByText("events", { exact: true }).first().waitFor();
  return (await pane.innerText()).split("\n").filter(Boolean).slice(0, 4);
}

async function subscribe() {
  await openTab(page, "Subscribe");
  const [socket] = await Promise.all([page.waitForEvent("websocket"), start(page)]);
  await nextAnswer(page, (answer) => answer.data?.attendanceChanged?.caughtUp, "the subscription did not catch up");
  return socket.url();
}

async function checkIn(window, event, patron) {
  const held = await window.locator(".credential-token").inputValue();
  expect(held === "", "a second window has a token of its own");
  await openTab(window, "CheckIn");
  const { data, errors } = await run(window, { eventId: event.id, patronId: patron.id });
  const outcome = data?.checkIn?.outcome;
  const refusal = JSON.stringify(errors ?? data?.checkIn?.errors);
  expect(outcome === "CHECKED_IN", `${patron.name} was not checked in: ${outcome} ${refusal}`);
  return outcome;
}

async function seeArrival(event, patron) {
  const arrived = (answer) =>
    answer.data?.attendanceChanged?.changes.some(
      (change) => change.type === "CHECKED_IN" && change.patron.name === patron.name && change.event.title === event.title,
    );
  const { data } = await nextAnswer(page, arrived, `the check-in of ${patron.name} did not arrive`);
  const shown = page.locator(".graphiql-response .view-line", { hasText: patron.name });
  await shown.first().waitFor();
  return data.attendanceChanged.changes.at(-1);
}

async function openTab(window, name) {
  await window.locator(".graphiql-tab-button", { hasText: name }).click();
  await window.locator(".graphiql-query-editor .view-line", { hasText: ` ${name}(` }).first().waitFor();
}

/** Runs the operation of the open tab, with `variables` filled in when given; its answer. */
async function run(window, variables) {
  if (variables) {
    await window.locator(".graphiql-editor-tool .view-lines").first().click();
    await window.keyboard.press("ControlOrMeta+A");
    // Pasted and not typed: the editor closes quotes and braces as one types.
    await window.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify(variables, null, 2));
    await window.keyboard.press("ControlOrMeta+V");
  }
  await start(window);
  return nextAnswer(window, () => true, "the operation was not answered");
}

/** Presses Run and records every answer from here on: the next one replaces it in the pane. */
async function start(window) {
  await window.evaluate(() => {
    globalThis.answers = [];
    globalThis.recording?.dispose();
    const pane = globalThis.model("response.json");
    globalThis.recording = pane.onDidChangeContent(() => {
      if (pane.getValue()) globalThis.answers.push(JSON.parse(pane.getValue()));
    });
  });
  await window.locator(".graphiql-execute-button").click();
}

/** The first answer since `start` that `matches`. */
async function nextAnswer(window, matches, otherwise) {
  const deadline = Date.now() + PATIENCE;
  let answers = [];
  while (Date.now() < deadline) {
    answers = await window.evaluate(() => globalThis.answers);
    const match = answers.find(matches);
    if (match) return match;
    await window.waitForTimeout(50);
  }
  throw new Error(`${otherwise}; the pane showed ${JSON.stringify(answers).slice(0, 2000)}`);
}

/** Collects what must not happen while a window lives. */
function watch(window) {
  window.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console error: ${message.text()}`);
  });
  window.on("pageerror", (error) => complaints.push(`uncaught error: ${error.message}`));
  window.on("requestfailed", (request) => complaints.push(`request failed: ${request.url()}`));
  for (const kind of ["request", "websocket"]) {
    window.on(kind, (request) => {
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
