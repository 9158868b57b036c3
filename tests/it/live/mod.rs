//! Following changes: nothing missed, nothing twice, nothing out of turn, and nothing for whoever
//! lost the right to listen.

mod ends;
mod patience;
mod refusals;
mod resume;
mod shared;

/// What a partner subscribes with, and everything of a change that does not change any more.
const FOLLOW: &str = "subscription($event: ID, $types: [AttendanceChangeType!], $after: String) {
    attendanceChanged(eventId: $event, types: $types, after: $after) {
        changes { sequence type occurredAt recordedAt event { id } patron { id } reason } cursor caughtUp } }";
/// The same, for who asks now and then.
const PULL: &str = "query($event: ID, $types: [AttendanceChangeType!], $after: String, $first: Int) {
    attendanceChanges(eventId: $event, types: $types, after: $after, first: $first) {
        changes { sequence type occurredAt recordedAt event { id } patron { id } reason } cursor caughtUp } }";
/// How long something may take that comes at once: long, for a slow machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);
