//! HTTP as others speak it: conformance suites, clients, compilers, browsers, and plain requests.

mod clients;
mod explorer;
mod headers;
mod origin;
mod pages;
mod plain;
mod slow;
