/** What GraphiQL calls a tab. */
export interface Example {
  query: string;
  variables: string;
  headers: string;
}

/** Shown in the headers editor of every tab, commented out so that the credential bar decides. */
export const HEADERS_HELP = `{
  // The credential bar above is sent with every operation.
  // What you name here wins over it, in this GraphiQL tab:
  // "Authorization": "Bearer <token from SignIn>",
  // "Rollcall-Organization": "<slug>"
}
`;

/** The tabs the explorer opens with, in the order in which a newcomer runs them. */
export const EXAMPLES: Example[] = [
  example(
    `# 1. Fill in the variables below, press Run (Ctrl-Enter).
#    "rollcall demo" prints a login and a password.
#    The token goes to the bar above by itself.
mutation SignIn($login: String!, $password: String!) {
  signIn(input: { login: $login, password: $password }) {
    token
    viewer {
      user {
        username
        firstName
        lastName
      }
    }
    errors {
      message
      path
    }
  }
}
`,
    { login: "", password: "" },
  ),
  example(
    `# 2. What is on now, and who is expected. For CheckIn, copy
#    the event's id, and the id of a patron who is REGISTERED:
#    not here yet. Without statuses ([]): every event.
query Events($statuses: [EventStatus!]!, $attendances: Int!) {
  events(first: 5, filter: { statuses: $statuses }) {
    nodes {
      id
      title
      status
      startsAt
      registeredCount
      checkedInCount
      attendances(first: $attendances) {
        nodes {
          state
          patron {
            id
            name
          }
        }
      }
    }
  }
}
`,
    { statuses: ["ONGOING"], attendances: 100 },
  ),
  example(
    `# 3. Run this and leave it running: another tab up here
#    would end it. Open this page in a second window for
#    CheckIn; you are signed in there, too. Without eventId:
#    every event. With a cursor in "after": what came since.
subscription Subscribe($eventId: ID, $after: String) {
  attendanceChanged(eventId: $eventId, after: $after) {
    changes {
      sequence
      type
      occurredAt
      event {
        title
      }
      patron {
        name
      }
      attendance {
        state
        checkInTime
      }
    }
    cursor
    caughtUp
  }
}
`,
    { eventId: null, after: null },
  ),
  example(
    `# 4. In a second window: check someone in, with two ids from
#    Events, and look at Subscribe. Run it twice: a second scan
#    is an outcome, not an error.
mutation CheckIn($eventId: ID!, $patronId: ID!) {
  checkIn(input: { eventId: $eventId, patronId: $patronId }) {
    outcome
    attendance {
      id
      state
      checkInTime
      patron {
        name
      }
      event {
        title
        checkedInCount
      }
    }
    errors {
      message
      path
    }
  }
}
`,
    { eventId: "", patronId: "" },
  ),
];

function example(query: string, variables: Record<string, unknown>): Example {
  return { query, variables: JSON.stringify(variables, null, 2), headers: HEADERS_HELP };
}
