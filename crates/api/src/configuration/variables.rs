//! The variables there are.

/// Every variable: its name, its default, and what it means. `--help` and the README show this.
pub const VARIABLES: &[(&str, &str, &str)] = &[
    (
        "DATABASE_URL",
        "the embedded file",
        "postgres://user:password@host/name, or sqlite:PATH",
    ),
    (
        "REDIS_URL",
        "none",
        "redis://host:port: wakes other instances and counts for all; one instance needs none",
    ),
    (
        "ROLLCALL_CONFIGURATION",
        "none",
        "a file of NAME=value lines for what the environment leaves out",
    ),
    (
        "ROLLCALL_DATA",
        "data",
        "directory of the embedded database",
    ),
    (
        "ROLLCALL_LISTEN",
        "127.0.0.1:8000",
        "address and port to listen on",
    ),
    (
        "ROLLCALL_PUBLIC_URL",
        "none",
        "where browsers reach us, like https://rollcall.example.org; https makes cookies secure",
    ),
    (
        "ROLLCALL_ALLOWED_ORIGINS",
        "none",
        "other origins whose pages may call, separated by commas",
    ),
    (
        "ROLLCALL_TRUSTED_PROXY",
        "false",
        "true when a proxy of yours writes X-Forwarded-For",
    ),
    (
        "ROLLCALL_DATABASE_CONNECTIONS",
        "20",
        "connections to PostgreSQL at most, 2 to 500",
    ),
    (
        "ROLLCALL_PASSWORD_PROFILE",
        "standard",
        "standard (19 MiB) or hardened (64 MiB) password hashing",
    ),
    (
        "ROLLCALL_SECRET_KEYS",
        "a file beside the embedded one",
        "id:base64 of 32 bytes, and others after commas: what secrets at rest are encrypted with",
    ),
    (
        "ROLLCALL_RATE_LIMITS",
        "on; for demo, off",
        "off when nothing is to be refused or slowed down for its number",
    ),
    (
        "ROLLCALL_SMTP_URL",
        "none; for demo, outbox:",
        "smtp://user:password@host or smtps://...: sends mails; outbox: shows them at /outbox",
    ),
    (
        "ROLLCALL_MAIL_FROM",
        "none",
        "whom mails come from, like Rollcall <rollcall@example.org>; needed by SMTP",
    ),
    (
        "ROLLCALL_OIDC_PROVIDERS",
        "none",
        "outside providers to sign in with: [{\"id\", \"name\", \"issuer\", \"clientId\", \"clientSecret\"}] in JSON",
    ),
    (
        "ROLLCALL_WORKER",
        "true",
        "whether serve carries out jobs and sends mails too; false with workers of their own",
    ),
    (
        "ROLLCALL_LOG",
        LOG,
        "what is logged, as a tracing filter; by import, migrate and audit, warn unless given",
    ),
    (
        "ROLLCALL_LOG_FORMAT",
        "json; for demo, import, migrate and audit, text",
        "json or text",
    ),
];

/// What is logged unless told otherwise.
pub const LOG: &str = "info,sea_orm_migration=warn,sqlx=warn";
