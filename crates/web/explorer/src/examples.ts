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

/** The tabs the explorer opens with, in the order in which a newcomer needs them. */
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
    `# 2. Events, and who is registered or came. Copy an
#    event's id and a patron's id for CheckIn.
query Events($events: Int!, $attendances: Int!) {
  events(first: $events) {
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
          checkInTime
          patron {
            id
            name
            tier
          }
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    { events: 5, attendances: 5 },
  ),
  example(
    `# 3. Check someone in, with ids from Events. Run it twice:
#    a second scan is an outcome, not an error.
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
  example(
    `# 4. Run this and leave it running. Then duplicate the
#    browser tab (the credential goes along) and run CheckIn
#    over there. Without eventId: every event. With a cursor
#    in "after": first what came since.
subscription AttendanceChanged($eventId: ID, $after: String) {
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
];

function example(query: string, variables: Record<string, unknown>): Example {
  return { query, variables: JSON.stringify(variables, null, 2), headers: HEADERS_HELP };
}
