//! The tables as the database's own catalog has them.

use crate::harness::{Backend, TestDatabase};

/// A table, or anything else that can be selected from.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
    pub foreign_keys: Vec<ForeignKey>,
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub required: bool,
    /// Its type's name, in lower case, without a length.
    pub kind: String,
}

#[derive(Debug)]
pub struct Index {
    pub columns: Vec<String>,
    pub unique: bool,
    pub partial: bool,
}

#[derive(Debug)]
pub struct ForeignKey {
    pub table: String,
    /// Its own column, and the one it refers to, pair by pair.
    pub columns: Vec<(String, String)>,
}

/// Tables without a tenant, and why.
pub const GLOBAL: &[(&str, &str)] = &[
    ("users", "a person has one login for all organizations"),
    (
        "sessions",
        "a session is a person's, and only points at an organization",
    ),
    (
        "invitation_tokens",
        "a token is looked up before the tenant is known",
    ),
    (
        "api_key_secrets",
        "a key is looked up before the tenant is known",
    ),
    (
        "organization_slugs",
        "an address is looked up before the tenant is known",
    ),
    (
        "jobs",
        "a worker takes whatever is due, then enters the job's organization",
    ),
    (
        "account_events",
        "what is done to an account belongs to no organization",
    ),
    (
        "schedules",
        "what is done again and again is Rollcall's own work",
    ),
    (
        "account_tokens",
        "a mailed token is a person's, who need not be signed in",
    ),
    ("totp_factors", "a second factor is a person's"),
    ("recovery_codes", "a second factor is a person's"),
    (
        "sign_in_challenges",
        "a sign-in is a person's, who is not signed in yet",
    ),
    (
        "second_factor_counters",
        "wrong second factors are counted by person",
    ),
    (
        "linked_accounts",
        "an account at a provider is a person's, who signs in with it",
    ),
    (
        "provider_sign_ins",
        "who signs in at a provider is nobody yet",
    ),
    (
        "mails",
        "a worker sends whatever is due, also to who belongs to no organization",
    ),
    ("seaql_migrations", "the schema's own history"),
];

impl Table {
    /// The column that says whose a row is; none for a global table.
    pub fn tenant(&self) -> Option<&'static str> {
        tenant_of(&self.name)
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known.name == column)
    }
}

/// The column that says whose a row of the table is; none for a global table.
pub fn tenant_of(table: &str) -> Option<&'static str> {
    match table {
        "organizations" => Some("id"),
        _ if GLOBAL.iter().any(|(name, _)| *name == table) => None,
        _ => Some("organization_id"),
    }
}

/// Everything in the schema that can be selected from.
pub async fn tables(database: &TestDatabase) -> Vec<Table> {
    let names = match database.backend() {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        }
        Backend::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1"
        }
    };
    let mut tables = Vec::new();
    for name in database.look(names).await {
        tables.push(Table {
            columns: columns(database, &name).await,
            indexes: indexes(database, &name).await,
            foreign_keys: foreign_keys(database, &name).await,
            name,
        });
    }
    tables
}

/// The tables that have a tenant.
pub async fn tenant_tables(database: &TestDatabase) -> Vec<Table> {
    let tables = tables(database).await;
    tables
        .into_iter()
        .filter(|table| table.tenant().is_some())
        .collect()
}

/// An organization's id as a literal of the database's dialect.
pub fn literal(database: &TestDatabase, id: uuid::Uuid) -> String {
    match database.backend() {
        Backend::Sqlite => format!("x'{}'", id.simple()),
        Backend::Postgres => format!("'{id}'"),
    }
}

async fn columns(database: &TestDatabase, table: &str) -> Vec<Column> {
    let sql = match database.backend() {
        Backend::Sqlite => format!("SELECT name || '|' || \"notnull\" || '|' || lower(type) FROM pragma_table_info('{table}')"),
        Backend::Postgres => format!(
            "SELECT attname || '|' || attnotnull::int || '|' || format_type(atttypid, NULL) FROM pg_attribute
             WHERE attrelid = 'public.{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ),
    };
    let rows = database.look(&sql).await.into_iter();
    rows.map(|row| {
        let [name, required, kind] = parts(&row);
        let kind = kind.split('(').next().unwrap_or_default().to_owned();
        Column {
            name,
            required: required == "1",
            kind,
        }
    })
    .collect()
}

async fn indexes(database: &TestDatabase, table: &str) -> Vec<Index> {
    let sql = match database.backend() {
        Backend::Sqlite => format!(
            "SELECT \"unique\" || '|' || partial || '|' || (SELECT group_concat(coalesce(name, '?')) FROM pragma_index_info(list.name))
             FROM pragma_index_list('{table}') AS list"
        ),
        Backend::Postgres => format!(
            "SELECT indisunique::int || '|' || (indpred IS NOT NULL)::int || '|' || (
                 SELECT string_agg(coalesce(attname, '?'), ',' ORDER BY place) FROM unnest(indkey) WITH ORDINALITY AS key(number, place)
                 LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number
             ) FROM pg_index WHERE indrelid = 'public.{table}'::regclass"
        ),
    };
    let rows = database.look(&sql).await.into_iter();
    rows.map(|row| {
        let [unique, partial, columns] = parts(&row);
        Index {
            columns: columns.split(',').map(str::to_owned).collect(),
            unique: unique == "1",
            partial: partial == "1",
        }
    })
    .collect()
}

async fn foreign_keys(database: &TestDatabase, table: &str) -> Vec<ForeignKey> {
    let sql = match database.backend() {
        Backend::Sqlite => format!(
            "SELECT \"table\" || '|' || group_concat(\"from\") || '|' || group_concat(coalesce(\"to\", '?'))
             FROM (SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq) GROUP BY id"
        ),
        Backend::Postgres => format!(
            "SELECT confrelid::regclass || '|' || {} || '|' || {} FROM pg_constraint WHERE contype = 'f' AND conrelid = 'public.{table}'::regclass",
            attributes("conkey", "conrelid"),
            attributes("confkey", "confrelid"),
        ),
    };
    let rows = database.look(&sql).await.into_iter();
    rows.map(|row| {
        let [table, own, other] = parts(&row);
        let pairs = own.split(',').zip(other.split(','));
        ForeignKey {
            table,
            columns: pairs
                .map(|(own, other)| (own.to_owned(), other.to_owned()))
                .collect(),
        }
    })
    .collect()
}

fn attributes(numbers: &str, table: &str) -> String {
    format!(
        "(SELECT string_agg(attname, ',' ORDER BY place) FROM unnest({numbers}) WITH ORDINALITY AS key(number, place)
         JOIN pg_attribute ON attrelid = {table} AND attnum = number)"
    )
}

fn parts<const N: usize>(row: &str) -> [String; N] {
    let parts: Vec<String> = row.splitn(N, '|').map(str::to_owned).collect();
    parts.try_into().expect("as many parts as were asked for")
}
