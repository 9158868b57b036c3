//! The statements that are run most find their rows by an index. They are not copied here: the
//! server is asked what it runs, and the database how it would, as the role that runs it.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    str::FromStr,
};

use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, postgres::PgConnectOptions,
};

use super::{
    catalog::{literal, tables},
    stage::{Stage, uuid_of},
};
use crate::harness::{App, Backend, Client, TestDatabase, on_each_database, process};

/// What is asked for most. With each comes the session by its token and the membership.
const HOT: &[(&str, &str)] = &[
    ("the door's list", "query($event: ID!) { event(id: $event) { checkedInCount attendances(first: 50) { nodes { state patron { name points } } } } }"),
    ("the door's list goes on", "query($event: ID!, $attendances: String) { event(id: $event) { attendances(first: 50, after: $attendances) { nodes { seats } } } }"),
    ("patrons", "{ patrons(first: 50) { nodes { name } } }"),
    ("patrons go on", "query($patrons: String) { patrons(first: 50, after: $patrons) { nodes { name } } }"),
    ("events", "{ events(first: 50) { nodes { title host { user { email } } attendances(first: 3) { nodes { id } } } } }"),
    ("events go on", "query($events: String) { events(first: 50, after: $events) { nodes { title } } }"),
    ("changes after a cursor", "query($changes: String) { attendanceChanges(after: $changes, first: 100) { changes { attendance { state } } } }"),
    ("changes of an event", "query($event: ID!, $changes: String) { attendanceChanges(eventId: $event, after: $changes) { changes { type } } }"),
    ("a patron's ledger", "query($patron: ID!) { patron(id: $patron) { loyaltyEntries(first: 20) { nodes { points } } attendances { nodes { event { title } } } } }"),
    ("a check-in, and the same scan again", "mutation($event: ID!, $patron: ID!, $scan: String!) {
        one: checkIn(input: { eventId: $event, patronId: $patron, scanId: $scan }) { outcome errors { message } }
        two: checkIn(input: { eventId: $event, patronId: $patron, scanId: $scan }) { repeated errors { message } } }"),
    ("the audit log", "{ auditLog(first: 50) { nodes { eventType targetId actor { username } } } }"),
    ("the audit log goes on", "query($audit: String) { auditLog(first: 50, after: $audit) { nodes { hash } } }"),
    ("somebody's entries", "query($person: ID!) { auditLog(first: 50, filter: { actorId: $person }) { nodes { hash } } }"),
    ("something's entries", "query($patron: ID!) { auditLog(first: 50, filter: { targetId: $patron }) { nodes { hash } } }"),
    ("entries of a type", "{ auditLog(first: 50, filter: { eventType: \"patron.created\", from: \"2020-01-01T00:00:00Z\" }) { nodes { hash } } }"),
    ("what was denied", "{ auditLog(first: 50, filter: { result: FAILURE }) { nodes { hash } } }"),
    ("memberships", "{ viewer { organizations { role organization { name } } sessions { id } } members(first: 50) { nodes { user { email } } } }"),
];
/// Tables of a few rows here, which the planner rightly reads whole.
const SMALL: &[&str] = &["roles", "jobs", "schedules", "seaql_migrations"];
/// What SQLite scans of the statement's own: a list of ids, one row, the teams of one member.
const OF_THE_STATEMENT: &[&str] = &[
    "json_each",
    "parent",
    "CONSTANT",
    "tenant",
    "counted",
    "(",
    "within",
    "self",
    "held",
];
/// Rows of each large table, half of it of one organization.
const ROWS: usize = 5_000;

on_each_database!(hot_statements_use_an_index, search_stays_within_the_tenant);

async fn hot_statements_use_an_index(app: App) {
    let stage = crowd(&app).await;
    let queries: Vec<&str> = HOT.iter().map(|(_, query)| *query).collect();
    let statements = captured(
        &app.database,
        &stage.owner,
        &queries,
        &variables(&stage).await,
    )
    .await;
    for table in [
        "sessions",
        "members",
        "organizations",
        "events",
        "patrons",
        "attendances",
        "attendance_scans",
        "changes",
        "loyalty_entries",
        "audit_logs",
    ] {
        assert!(
            statements.iter().any(|text| text.contains(table)),
            "nothing was captured of {table}: {statements:#?}"
        );
    }
    let mut planner = Planner::new(&app.database, &stage).await;
    for statement in statements {
        planner.must_not_scan(&statement).await;
    }
    // The control: a statement that no index serves is found out. Row-level security would lead
    // even this one by the tenant, so that it looks at a table of its own.
    app.database
        .look("CREATE TABLE unindexed AS SELECT * FROM events")
        .await;
    if app.database.backend() == Backend::Postgres {
        app.database
            .look("GRANT SELECT ON unindexed TO rollcall_app")
            .await;
    }
    planner.large.push("unindexed".to_owned());
    let plan = planner
        .plan("SELECT id FROM unindexed WHERE title = 'x'")
        .await;
    assert_eq!(planner.scans(&plan).len(), 1, "{plan:?}");
    app.stop().await;
}

/// A search reads the tenant's patrons at most: its words are looked for in no index.
async fn search_stays_within_the_tenant(app: App) {
    let stage = crowd(&app).await;
    let query = "{ patrons(first: 20, search: \"guest 1\") { totalCount nodes { name } } }";
    let mut planner = Planner::new(&app.database, &stage).await;
    planner.may_sort = true;
    for statement in captured(&app.database, &stage.owner, &[query], &json!({})).await {
        planner.must_not_scan(&statement).await;
    }
    app.stop().await;
}

/// The statements that a server of its own runs for these requests, by its log, each once and
/// without those that insert, or begin and end a transaction.
async fn captured(
    database: &TestDatabase,
    client: &Client,
    queries: &[&str],
    variables: &Value,
) -> BTreeSet<String> {
    let mut server = Command::new(process::binary())
        .arg("serve")
        .env_remove("REDIS_URL")
        .env("DATABASE_URL", database.url())
        .env("ROLLCALL_LISTEN", "127.0.0.1:0")
        .env("ROLLCALL_LOG", "info,sqlx::query=debug")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut log = BufReader::new(server.stderr.take().expect("a log")).lines();
    let url = log
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find_map(|entry| {
            let listening = entry["fields"]["message"] == "server.listening";
            listening.then(|| {
                format!(
                    "http://{}",
                    entry["fields"]["address"].as_str().unwrap_or_default()
                )
            })
        })
        .expect("the server listens");
    // Read by a thread of its own, or the server would stop at a full pipe.
    let reader = std::thread::spawn(move || log.map_while(Result::ok).collect::<Vec<String>>());
    for query in queries {
        client.at(&url).ok(query, variables.clone()).await;
    }
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    let lines = reader.join().expect("the log");
    let statement = |line: &String| {
        let entry: Value = serde_json::from_str(line).ok()?;
        let of = |name: &str| {
            entry["fields"][name]
                .as_str()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let text = if of("db.statement").is_empty() {
            of("summary")
        } else {
            of("db.statement")
        };
        let kind = text.split_whitespace().next()?.to_uppercase();
        (entry["target"] == "sqlx::query"
            && ["SELECT", "UPDATE", "DELETE", "WITH"].contains(&kind.as_str()))
        .then_some(text)
    };
    lines
        .iter()
        .filter_map(statement)
        .filter(|text| text.contains("FROM") || text.starts_with("UPDATE"))
        .collect()
}

/// Asks the database how it would run a statement, as the role that runs it.
struct Planner {
    connection: Planning,
    /// The tables that must not be read from end to end.
    large: Vec<String>,
    /// Whether all of a tenant's rows may be read in order to sort them.
    may_sort: bool,
}

enum Planning {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Planner {
    async fn new(database: &TestDatabase, stage: &Stage) -> Self {
        let connection = match database.backend() {
            Backend::Sqlite => {
                let path = database.url().replacen("sqlite:", "sqlite://", 1);
                Planning::Sqlite(SqliteConnection::connect(&path).await.expect("the file"))
            }
            Backend::Postgres => {
                let options = PgConnectOptions::from_str(&database.url())
                    .expect("a URL")
                    .options([
                        ("role", "rollcall_app"),
                        ("rollcall.organization_id", &stage.uuid().to_string()),
                        ("rollcall.user_id", &uuid_of(&stage.ids[&'U']).to_string()),
                        // A plan for any parameters, as a pooled connection has it after some time.
                        ("plan_cache_mode", "force_generic_plan"),
                    ]);
                Planning::Postgres(
                    PgConnection::connect_with(&options)
                        .await
                        .expect("the database"),
                )
            }
        };
        let tables = tables(database).await.into_iter().map(|table| table.name);
        Self {
            connection,
            large: tables
                .filter(|table| !SMALL.contains(&table.as_str()))
                .collect(),
            may_sort: false,
        }
    }

    async fn must_not_scan(&mut self, statement: &str) {
        let plan = self.plan(statement).await;
        assert_eq!(
            self.scans(&plan),
            Vec::<&String>::new(),
            "{statement}\n{}",
            plan.join("\n")
        );
    }

    async fn plan(&mut self, statement: &str) -> Vec<String> {
        match &mut self.connection {
            Planning::Sqlite(connection) => {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
                let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain)
                    .fetch_all(connection)
                    .await
                    .expect(statement);
                rows.into_iter().map(|(.., detail)| detail).collect()
            }
            Planning::Postgres(connection) => {
                // The server says each parameter's type beside the text; only this one cannot be
                // guessed.
                let typed = statement.replace("unnest($2)", "unnest($2::uuid[])");
                let prepare = format!("DEALLOCATE ALL; PREPARE hot AS {typed}");
                connection
                    .execute(AssertSqlSafe(prepare))
                    .await
                    .expect(statement);
                let count = "SELECT coalesce(cardinality(parameter_types), 0)::int4 FROM pg_prepared_statements WHERE name = 'hot'";
                let count: i32 = sqlx::query_scalar(count)
                    .persistent(false)
                    .fetch_one(&mut *connection)
                    .await
                    .expect("the statement");
                let nulls = (0..count).map(|_| "NULL").collect::<Vec<_>>().join(", ");
                let brackets = if nulls.is_empty() {
                    nulls
                } else {
                    format!("({nulls})")
                };
                let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE hot{brackets}"));
                sqlx::query_scalar(explain)
                    .persistent(false)
                    .fetch_all(connection)
                    .await
                    .expect(statement)
            }
        }
    }

    /// The steps of a plan that read a large table from end to end, or all of a tenant's rows in
    /// order to sort them, where that is not permitted.
    fn scans<'a>(&self, plan: &'a [String]) -> Vec<&'a String> {
        let is_large = |line: &str| {
            let mut words =
                line.split(|character: char| !(character.is_alphanumeric() || character == '_'));
            words.any(|word| self.large.iter().any(|table| table == word))
        };
        let sorts = !self.may_sort
            && plan.iter().any(|line| {
                line.contains("USE TEMP B-TREE FOR ORDER BY") || line.contains("Sort Key")
            });
        let whole = |line: &&String| match &self.connection {
            Planning::Sqlite(_) if sorts && line.contains("(organization_id=?)") => true,
            Planning::Postgres(_)
                if sorts
                    && line.contains("Index Cond: (organization_id = ")
                    && !line.contains(" AND ") =>
            {
                true
            }
            // An alias hides the table's name, so that every scan counts but these.
            Planning::Sqlite(_) => {
                line.starts_with("SCAN") && !OF_THE_STATEMENT.iter().any(|word| line.contains(word))
            }
            Planning::Postgres(_) => line.contains("Seq Scan on") && is_large(line),
        };
        plan.iter().filter(whole).collect()
    }
}

/// A stage among many organizations and rows, of which statistics are known.
async fn crowd(app: &App) -> Stage {
    let stage = Stage::build(app, "crowd").await;
    if app.database.backend() == Backend::Sqlite {
        // Its planner goes by the indexes' shape; it is given no statistics in service, either.
        return stage;
    }
    let (organization, event, patron) = (
        literal(&app.database, stage.uuid()),
        uuid_of(&stage.ids[&'E']),
        uuid_of(&stage.ids[&'P']),
    );
    // A copy for each of `source`, with other keys.
    let copies = |table: &str, keys: &str, source: &str, like: &str| {
        format!(
            "INSERT INTO {table} SELECT copy.* FROM {table} AS row, {source}, LATERAL jsonb_populate_record(row, jsonb_build_object({keys})) AS copy
             WHERE row.ctid = (SELECT ctid FROM {table} WHERE {like} LIMIT 1)"
        )
    };
    let series = format!("generate_series(1, {ROWS}) AS series (n)");
    let spread = format!("{series} JOIN tenant ON tenant.n = series.n % 20 + 1");
    let own = format!("organization_id = {organization}");
    let guests = format!("(SELECT id FROM patrons WHERE {own} AND id <> '{patron}') AS guest");
    let of_event =
        "'id', gen_random_uuid(), 'starts_at', row.starts_at - interval '1 second' * series.n";
    let of_patron = "'id', gen_random_uuid(), 'email', NULL, 'sort_name', 'guest ' || series.n, 'search', 'guest ' || series.n";
    for sql in [
        "CREATE TABLE tenant AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, 1000) AS n".to_owned(),
        copies("organizations", "'id', tenant.id, 'slug', 'crowd-of-' || n", "tenant", "true"),
        "INSERT INTO organization_slugs (slug, organization_id) SELECT 'crowd-of-' || n, id FROM tenant".to_owned(),
        copies("users", "'id', gen_random_uuid(), 'username', 'crowd' || n, 'username_key', 'crowd' || n, 'email', n || '@crowd.example.org'", &series, "true"),
        copies("sessions", "'id', gen_random_uuid(), 'token_hash', '\\x' || md5(n::text)", &series, "true"),
        "INSERT INTO roles (organization_id, slug, name, built_in) SELECT tenant.id, slug, name, built_in FROM (SELECT DISTINCT ON (slug) * FROM roles) AS role, tenant".to_owned(),
        "INSERT INTO change_counters SELECT id, 0 FROM tenant".to_owned(),
        "INSERT INTO members (id, organization_id, user_id, role, joined_at) SELECT gen_random_uuid(), tenant.id, person.id, 'viewer', now()
         FROM (SELECT id, row_number() OVER () AS n FROM users) AS person JOIN tenant ON tenant.n = person.n % 20 + 1".to_owned(),
        // Half of everything is of the stage's own organization.
        copies("events", &format!("{of_event}, 'organization_id', tenant.id, 'host_id', NULL"), &spread, "true"),
        copies("events", of_event, &series, &own),
        copies("patrons", &format!("{of_patron}, 'organization_id', tenant.id"), &spread, "true"),
        copies("patrons", of_patron, &series, &own),
        copies("attendances", &format!("'id', gen_random_uuid(), 'event_id', '{event}', 'patron_id', guest.id"), &guests, &own),
        copies("attendance_scans", "'id', gen_random_uuid(), 'patron_id', guest.id", &guests, &own),
        copies("loyalty_entries", "'id', gen_random_uuid(), 'source_id', gen_random_uuid(), 'patron_id', guest.id", &guests, &own),
        copies("teams", "'id', gen_random_uuid(), 'name_key', 'team ' || n", &series, &own),
        format!("INSERT INTO members (id, organization_id, user_id, role, joined_at)
            SELECT gen_random_uuid(), {organization}, id, 'viewer', now() FROM users ON CONFLICT DO NOTHING"),
        format!("INSERT INTO team_members (organization_id, team_id, member_id) SELECT {organization}, team.id, member.id
            FROM (SELECT id, row_number() OVER () AS n FROM teams) AS team
            JOIN (SELECT id, row_number() OVER () AS n FROM members WHERE {own}) AS member USING (n) ON CONFLICT DO NOTHING"),
        format!("INSERT INTO team_roles (organization_id, team_id, role) SELECT {organization}, id, 'viewer' FROM teams ON CONFLICT DO NOTHING"),
        "INSERT INTO member_roles (organization_id, member_id, role) SELECT organization_id, id, 'member' FROM members WHERE role = 'viewer' ON CONFLICT DO NOTHING".to_owned(),
        copies("changes", "'sequence', 1000 + n", &series, &own),
        copies("audit_logs", "'id', gen_random_uuid(), 'number', 1000 + n, 'created_at', row.created_at - interval '1 second' * n", &series, &own),
        format!("UPDATE change_counters SET last_sequence = 1000 + {ROWS} WHERE organization_id = {organization}"),
        "DROP TABLE tenant".to_owned(),
        "ANALYZE".to_owned(),
    ] {
        app.database.look(&sql).await;
    }
    stage
}

/// Ids of the stage, and cursors of its lists.
async fn variables(stage: &Stage) -> Value {
    let query = "query($event: ID!) { event(id: $event) { changeCursor attendances(first: 1) { pageInfo { endCursor } } }
        events(first: 1) { pageInfo { endCursor } } patrons(first: 1) { pageInfo { endCursor } }
        auditLog(first: 1) { pageInfo { endCursor } } }";
    let (event, patron) = (&stage.ids[&'E'], &stage.ids[&'P']);
    let found = stage.owner.ok(query, json!({ "event": event })).await;
    json!({
        "event": event, "patron": patron, "scan": uuid::Uuid::now_v7(),
        "attendances": found["event"]["attendances"]["pageInfo"]["endCursor"],
        "events": found["events"]["pageInfo"]["endCursor"],
        "patrons": found["patrons"]["pageInfo"]["endCursor"],
        "changes": found["event"]["changeCursor"],
        "audit": found["auditLog"]["pageInfo"]["endCursor"], "person": stage.ids[&'U'],
    })
}
