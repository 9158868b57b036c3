//! The data set: the same rows on every run, made through the API where rules are involved and by
//! hand-written statements for the mass of it.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use uuid::Uuid;

use crate::servers::{Server, post};

/// What the operations are about: one of the large organizations.
pub struct Data {
    /// The organization.
    pub organization: Uuid,
    /// A credential of its owner.
    pub token: String,
    /// Its events that are over.
    pub events: Vec<Uuid>,
    /// Its events that are on now, without anybody yet.
    pub evenings: Vec<Uuid>,
    /// Its patrons.
    pub patrons: Vec<Uuid>,
}

const ORGANIZATIONS: usize = 50;

/// Makes an empty database in place of one of the same name.
pub async fn create(admin: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(admin).await.expect("PostgreSQL");
    for statement in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}"),
    ] {
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .expect("a database");
    }
    let (server, _) = admin.rsplit_once('/').expect("a URL with a database");
    // The peers' drivers do not encrypt unless they are told to; neither does anybody here.
    format!("{server}/{name}?sslmode=disable")
}

/// Fills a migrated database, `scale` times the usual size, through the server that runs on it.
pub async fn fill(url: &str, server: &Server, scale: i32) -> Data {
    let mut owners = Vec::new();
    for number in 0..ORGANIZATIONS {
        owners.push(found(&server.url, number).await);
    }
    let mut connection = PgConnection::connect(url).await.expect("the database");
    let filling = include_str!("data.sql").replace("{scale}", &scale.to_string());
    connection
        .execute(AssertSqlSafe(filling))
        .await
        .expect("the rows");
    connection
        .execute("VACUUM ANALYZE")
        .await
        .expect("a vacuum");
    let organization = connection
        .fetch_one("SELECT id FROM organizations WHERE slug = 'organization-0'")
        .await
        .expect("the first organization")
        .get(0);
    let ids = async |connection: &mut PgConnection, table: &'static str| -> Vec<Uuid> {
        let sql = format!("SELECT id FROM {table} AND organization_id = $1 ORDER BY id LIMIT 5000");
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).bind(organization);
        rows.fetch_all(connection).await.expect("ids")
    };
    Data {
        organization,
        token: owners.swap_remove(0),
        events: ids(&mut connection, "events WHERE ends_at < now()").await,
        evenings: ids(&mut connection, "events WHERE ends_at > now()").await,
        patrons: ids(&mut connection, "patrons WHERE deleted_at IS NULL").await,
    }
}

/// Signs the owner of an organization up and gives their token.
async fn found(url: &str, number: usize) -> String {
    let input = json!({
        "username": format!("owner_{number}"), "email": format!("owner{number}@example.org"),
        "password": "Correct-horse-7", "firstName": "Olive", "lastName": format!("Owner{number}"),
        "organizationName": format!("Organization {number}"), "timeZone": "Europe/Vienna",
    });
    let query =
        "mutation($input: SignUpInput!) { signUp(input: $input) { token errors { message } } }";
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer: Value = post(&format!("{url}/graphql"), None, &body).await;
    let token = answer["data"]["signUp"]["token"].as_str();
    token.unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}
