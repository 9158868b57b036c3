// PostGraphile with its Amber preset and production settings, one process a core.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { jsonParse } from "postgraphile/@dataplan/json";
import { context, lambda, listen } from "postgraphile/grafast";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";
import { extendSchema } from "postgraphile/utils";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

// What bench_arrive() tells, as its documentation has it: LISTEN, and the row read for each.
const arrivals = extendSchema((build) => ({
  typeDefs: `
    type Arrival { attendance: Attendance }
    extend type Subscription { attendanceChanged(event: UUID!): Arrival }
  `,
  objects: {
    Subscription: {
      plans: {
        attendanceChanged: {
          subscribePlan: (_, { $event }) =>
            listen(context().get("pgSubscriber"), lambda($event, (event) => `arrivals:${event}`), jsonParse),
          plan: ($told) => $told,
        },
      },
    },
    Arrival: {
      plans: {
        attendance: ($told) => build.input.pgRegistry.pgResources.attendances.get({ id: $told.get("id") }),
      },
    },
  },
}));

const PROCESSES = 2;
if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
} else {
  const preset = {
    extends: [PostGraphileAmberPreset, makeV4Preset({ dynamicJson: true }), PostGraphileConnectionFilterPreset],
    plugins: [arrivals],
    pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"], pubsub: true, poolConfig: { max: 10 } })],
    grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, websockets: true },
    grafast: { explain: false },
  };
  const server = createServer();
  const service = postgraphile(preset).createServ(grafserv);
  await service.addTo(server);
  server.listen(Number(process.env.PORT), "127.0.0.1");
}
