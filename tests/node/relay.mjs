// node relay.mjs SCHEMA: compiles a small application with relay-compiler, which insists on the
// node interface, on connections as its specification has them, and on ids where it refetches.
// Checks with graphql-js, too, that the schema is valid and that everything in it is described.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSchema, isIntrospectionType, isSpecifiedScalarType, validateSchema } from "graphql";

const [file] = process.argv.slice(2);
if (!file) fail("usage: node relay.mjs SCHEMA");

const APPLICATION = `
graphql\`fragment Application_query on Query @refetchable(queryName: "ApplicationEvents")
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
  events(first: $count, after: $cursor) @connection(key: "Application_events") {
    totalCount edges { node { id title ...Application_event } } } }\`;
graphql\`fragment Application_event on Event @refetchable(queryName: "ApplicationEvent")
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
  attendances(first: $count, after: $cursor) @connection(key: "Application_attendances") {
    edges { node { state ...Application_attendance } } } }\`;
graphql\`fragment Application_attendance on Attendance @refetchable(queryName: "ApplicationAttendance") {
  seats patron { name tier } }\`;
graphql\`mutation ApplicationCheckInMutation($input: CheckInInput!) { checkIn(input: $input) {
  outcome attendance { ...Application_attendance } errors { __typename message code path } } }\`;
graphql\`subscription ApplicationSubscription($after: String) { attendanceChanged(after: $after) {
  cursor changes { sequence type attendance { ...Application_attendance } } } }\`;
graphql\`query ApplicationQuery { ...Application_query viewer { user { id } } node(id: "x") { id ... on Event { title } } }\`;
`;

const schema = buildSchema(readFileSync(file, "utf8"));
const problems = validateSchema(schema).map((problem) => problem.message);
for (const type of Object.values(schema.getTypeMap())) {
  if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
  describe(type, type.name);
  for (const value of type.getValues?.() ?? []) describe(value, `${type.name}.${value.name}`);
  for (const field of Object.values(type.getFields?.() ?? {})) {
    describe(field, `${type.name}.${field.name}`);
    for (const argument of field.args ?? []) describe(argument, `${type.name}.${field.name}(${argument.name}:)`);
  }
}
if (problems.length > 0) fail(problems.join("\n"));

const directory = mkdtempSync(join(tmpdir(), "relay-"));
mkdirSync(join(directory, "src"));
writeFileSync(join(directory, "src", "Application.js"), APPLICATION);
cpSync(file, join(directory, "schema.graphql"));
const configuration = { src: "./src", language: "javascript", schema: "./schema.graphql", eagerEsModules: false };
writeFileSync(join(directory, "relay.config.json"), JSON.stringify(configuration));
try {
  execFileSync(process.execPath, [resolve("node_modules/relay-compiler/cli.js")], { cwd: directory, encoding: "utf8", stdio: "pipe" });
  const artifacts = readdirSync(join(directory, "src", "__generated__"));
  console.log(JSON.stringify({ types: Object.keys(schema.getTypeMap()).length, artifacts: artifacts.length }));
} catch (error) {
  fail(`${error.stdout}${error.stderr}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function describe(thing, name) {
  if (!thing.description) problems.push(`${name} has no description`);
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
