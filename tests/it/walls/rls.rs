//! The second wall: with no predicate of ours at all, row-level security alone keeps organizations
//! apart. PostgreSQL only; on SQLite the first wall, the types of `domain::scope`, stands alone.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use super::{
    catalog::{Table, tenant_tables},
    stage::{Stage, uuid_of},
};
use crate::harness::{App, Backend};

/// PostgreSQL's code for what a role or a policy does not permit.
const DENIED: &str = "42501";

#[tokio::test(flavor = "multi_thread")]
async fn unbound_nothing_is_there() {
    let Some((app, ours, theirs)) = stages().await else {
        return;
    };
    let mut connection = application(&app).await;
    for table in tenant_tables(&app.database).await {
        let name = &table.name;
        for stage in [&ours, &theirs] {
            let control = format!(
                "SELECT count(*) FROM {name} WHERE {} = '{}'",
                table.tenant().expect("one"),
                stage.uuid()
            );
            assert!(
                app.database.number(&control).await > 0,
                "{name} has no rows to hide"
            );
        }
        assert_eq!(
            count(&mut connection, None, name).await,
            0,
            "{name} is seen by nobody in particular"
        );
    }
    // After a transaction SET LOCAL leaves an empty text behind, which is no UUID and no error.
    count(&mut connection, Some(ours.uuid()), "events").await;
    let setting: Option<String> =
        sqlx::query_scalar("SELECT current_setting('rollcall.organization_id', true)")
            .fetch_one(&mut connection)
            .await
            .expect("a setting");
    assert_eq!(setting.as_deref(), Some(""));
    for table in tenant_tables(&app.database).await {
        assert_eq!(
            count(&mut connection, None, &table.name).await,
            0,
            "{} is seen after a transaction",
            table.name
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_to_one_nothing_of_another_is_there() {
    let Some((app, ours, theirs)) = stages().await else {
        return;
    };
    let mut connection = application(&app).await;
    for table in tenant_tables(&app.database).await {
        let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
        let own = format!(
            "SELECT count(*) FROM {name} WHERE {tenant} = '{}'",
            ours.uuid()
        );
        let own = app.database.number(&own).await;
        assert_eq!(
            count(&mut connection, Some(ours.uuid()), name).await,
            own,
            "{name} shows other rows than its own"
        );
        let foreign = format!("{name} WHERE {tenant} = '{}'", theirs.uuid());
        assert_eq!(
            count(&mut connection, Some(ours.uuid()), &foreign).await,
            0,
            "{name} shows foreign rows"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_to_one_nothing_of_another_can_be_written() {
    let Some((app, ours, theirs)) = stages().await else {
        return;
    };
    let mut connection = application(&app).await;
    for table in tenant_tables(&app.database).await {
        let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
        for statement in [
            format!(
                "UPDATE {name} SET {tenant} = {tenant} WHERE {tenant} = '{}'",
                theirs.uuid()
            ),
            format!("DELETE FROM {name} WHERE {tenant} = '{}'", theirs.uuid()),
        ] {
            match write(&mut connection, ours.uuid(), &statement).await {
                Ok(rows) => assert_eq!(rows, 0, "{statement}"),
                Err(code) => assert_eq!(code, DENIED, "{statement}"),
            }
        }
        for statement in [
            // A row of theirs, out of thin air, and out of one of ours.
            copy(&table, theirs.uuid()),
            format!("UPDATE {name} SET {tenant} = '{}'", theirs.uuid()),
        ] {
            assert_eq!(
                write(&mut connection, ours.uuid(), &statement).await,
                Err(DENIED.to_owned()),
                "{statement}"
            );
        }
    }
    app.stop().await;
}

/// The control: what is refused above is not refused for being malformed.
#[tokio::test(flavor = "multi_thread")]
async fn bound_to_one_its_own_can_be_written() {
    let Some((app, ours, _)) = stages().await else {
        return;
    };
    let mut connection = application(&app).await;
    let mut written = 0;
    for table in tenant_tables(&app.database).await {
        let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
        match write(
            &mut connection,
            ours.uuid(),
            &format!("UPDATE {name} SET {tenant} = {tenant}"),
        )
        .await
        {
            Ok(rows) => written += rows,
            Err(code) => assert_eq!(code, DENIED, "{name}"),
        }
        // The copy of an own row gets past the policy and meets the key of the row it copies.
        let copied = write(&mut connection, ours.uuid(), &copy(&table, ours.uuid())).await;
        assert_eq!(copied, Err("23505".to_owned()), "{name}");
    }
    assert!(written > 10, "only {written} rows");
    app.stop().await;
}

/// Two organizations with rows in every tenant table.
async fn stages() -> Option<(App, Stage, Stage)> {
    let app = App::start(Backend::Postgres).await?;
    let (ours, theirs) = (
        Stage::build(&app, "ours").await,
        Stage::build(&app, "theirs").await,
    );
    for stage in [&ours, &theirs] {
        let (organization, patron, import) = (
            stage.uuid(),
            uuid_of(&stage.ids[&'P']),
            uuid_of(&stage.ids[&'I']),
        );
        // What the API leaves empty: a file is gone once it was read.
        for row in [
            format!(
                "patron_external_ids (organization_id, source, external_id, patron_id) VALUES ('{organization}', 'csv', '1', '{patron}')"
            ),
            format!(
                "import_files (organization_id, import_id, content) VALUES ('{organization}', '{import}', '')"
            ),
        ] {
            app.database.look(&format!("INSERT INTO {row}")).await;
        }
    }
    Some((app, ours, theirs))
}

/// A connection as the server has them, in the role that serves requests.
async fn application(app: &App) -> PgConnection {
    let options = PgConnectOptions::from_str(&app.database.url()).expect("a URL");
    let options = options.options([("role", "rollcall_app")]);
    PgConnection::connect_with(&options)
        .await
        .expect("the database")
}

async fn count(connection: &mut PgConnection, organization: Option<Uuid>, from: &str) -> i64 {
    begin(connection, organization).await;
    let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {from}")))
        .fetch_one(&mut *connection)
        .await;
    connection.execute("COMMIT").await.expect("an end");
    count.expect(from)
}

/// Runs a statement and takes it back: the rows it met, or the error's code.
async fn write(
    connection: &mut PgConnection,
    organization: Uuid,
    statement: &str,
) -> Result<u64, String> {
    begin(connection, Some(organization)).await;
    let result = connection
        .execute(AssertSqlSafe(statement.to_owned()))
        .await;
    connection.execute("ROLLBACK").await.expect("an end");
    let code = |error: sqlx::Error| {
        error
            .as_database_error()
            .and_then(|error| Some(error.code()?.into_owned()))
    };
    result
        .map(|done| done.rows_affected())
        .map_err(|error| code(error).expect("the database's own error"))
}

async fn begin(connection: &mut PgConnection, organization: Option<Uuid>) {
    let bind = organization.map(|id| format!("; SET LOCAL rollcall.organization_id = '{id}'"));
    let begin = format!("BEGIN{}", bind.unwrap_or_default());
    connection
        .execute(AssertSqlSafe(begin))
        .await
        .expect("a beginning");
}

/// Inserts a copy of a row that is seen, as that organization's.
fn copy(table: &Table, organization: Uuid) -> String {
    let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
    format!(
        "INSERT INTO {name} SELECT (jsonb_populate_record({name}, '{{\"{tenant}\": \"{organization}\"}}')).* FROM {name} LIMIT 1"
    )
}
