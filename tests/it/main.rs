//! Rollcall from outside: GraphQL, HTTP, sockets, and the databases' own catalogs.
//!
//! Each test runs on SQLite, and on PostgreSQL where one is found (`TEST_DATABASE_URL`, or the
//! standard port). What was not found is said once; with `REQUIRE_SERVICES=1` it is a failure.

mod attendance;
mod audit;
mod bad_input;
mod command;
mod events;
mod faults;
mod graphql;
mod harness;
mod http;
mod identity;
mod imports;
mod jobs;
mod live;
mod loyalty;
mod mail;
mod organizations;
mod patrons;
mod played;
mod races;
mod smoke;
mod walls;
