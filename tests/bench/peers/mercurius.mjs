// Fastify and Mercurius as their documentation would have it: JIT, loaders, one process a core.
import cluster from "node:cluster";
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const PROCESSES = 2;
if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
} else {
  pg.types.setTypeParser(20, Number); // bigint
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;
  const schema = `
    type Query {
      events(organization: ID!, until: String!, first: Int!): [Event!]!
      event(id: ID!): Event
      patron(id: ID!): Patron
    }
    type Mutation { checkIn(organization: ID!, event: ID!, patron: ID!): Attendance! }
    type Event { title: String! startsAt: String! registeredCount: Int! checkedInCount: Int! host: Host attendances(first: Int!): [Attendance!]! }
    type Host { user: User }
    type User { firstName: String! lastName: String! }
    type Attendance { attended: Boolean! checkInTime: String checkOutTime: String secondsPresent: Int! patron: Patron! }
    type Patron { firstName: String! lastName: String! email: String points: Int! tier: String! loyaltyEntries(first: Int!): [Entry!]! }
    type Entry { points: Int! reason: String! createdAt: String! }`;
  const time = (name) => (row) => row[name]?.toISOString() ?? null;
  const tier = ({ qualifying_points: points }) => (points < 100 ? "BRONZE" : points < 500 ? "SILVER" : points < 1000 ? "GOLD" : "PLATINUM");
  const resolvers = {
    Query: {
      events: (_, { organization, until, first }) =>
        rows("events", "SELECT * FROM events WHERE organization_id = $1 AND starts_at < $2 ORDER BY starts_at DESC, id DESC LIMIT $3", [organization, until, first]),
      event: async (_, { id }) => (await rows("event", "SELECT * FROM events WHERE id = $1", [id]))[0],
      patron: async (_, { id }) => (await rows("patron", "SELECT * FROM patrons WHERE id = $1", [id]))[0],
    },
    Mutation: {
      checkIn: async (_, { organization, event, patron }) => (await rows("check_in", "SELECT * FROM bench_upsert($1, $2, $3)", [organization, event, patron]))[0],
    },
    Event: { startsAt: time("starts_at"), registeredCount: (row) => row.registered_count, checkedInCount: (row) => row.attended_count },
    Attendance: { checkInTime: time("check_in_time"), checkOutTime: time("check_out_time"), secondsPresent: (row) => row.seconds_present },
    Patron: { firstName: (row) => row.first_name, lastName: (row) => row.last_name, tier },
    User: { firstName: (row) => row.first_name, lastName: (row) => row.last_name },
    Entry: { createdAt: time("created_at") },
  };
  const by = (rows, key) => {
    const map = new Map();
    for (const row of rows) map.has(row[key]) ? map.get(row[key]).push(row) : map.set(row[key], [row]);
    return map;
  };
  const loaders = {
    Event: {
      host: {
        async loader(queries) {
          const ids = queries.map(({ obj }) => obj.host_id);
          const found = by(await rows("hosts", "SELECT members.id AS host_id, users.* FROM members JOIN users ON users.id = user_id WHERE members.id = ANY($1)", [ids]), "host_id");
          return queries.map(({ obj }) => (found.has(obj.host_id) ? { user: found.get(obj.host_id)[0] } : null));
        },
      },
      attendances: {
        async loader(queries) {
          const ids = queries.map(({ obj }) => obj.id);
          const text = `SELECT child.* FROM unnest($1::uuid[]) AS parent CROSS JOIN LATERAL (
            SELECT * FROM attendances WHERE organization_id = $2 AND event_id = parent ORDER BY created_at, id LIMIT $3) AS child`;
          const found = by(await rows("attendances", text, [ids, queries[0].obj.organization_id, queries[0].params.first]), "event_id");
          return queries.map(({ obj }) => found.get(obj.id) ?? []);
        },
      },
    },
    Attendance: {
      patron: {
        async loader(queries) {
          const ids = queries.map(({ obj }) => obj.patron_id);
          const found = by(await rows("patrons", "SELECT * FROM patrons WHERE id = ANY($1)", [ids]), "id");
          return queries.map(({ obj }) => found.get(obj.patron_id)[0]);
        },
      },
    },
    Patron: {
      loyaltyEntries: {
        async loader(queries) {
          const ids = queries.map(({ obj }) => obj.id);
          const text = `SELECT child.* FROM unnest($1::uuid[]) AS parent CROSS JOIN LATERAL (
            SELECT * FROM loyalty_entries WHERE organization_id = $2 AND patron_id = parent ORDER BY created_at DESC, id DESC LIMIT $3) AS child`;
          const found = by(await rows("entries", text, [ids, queries[0].obj.organization_id, queries[0].params.first]), "patron_id");
          return queries.map(({ obj }) => found.get(obj.id) ?? []);
        },
      },
    },
  };
  const app = Fastify();
  app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
  await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
}
