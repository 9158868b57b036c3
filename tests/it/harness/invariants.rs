//! What must hold in the database whatever happened: looked at past every wall, and reckoned anew
//! from the scans by a second, simpler reading of the rules.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Backend, TestDatabase};

/// What the scans of one patron at one event come to.
#[derive(Debug, Default, PartialEq)]
struct Presence {
    attended: bool,
    inside: bool,
    check_in: Option<DateTime<Utc>>,
    check_out: Option<DateTime<Utc>>,
    seconds: i64,
}

impl TestDatabase {
    /// Fails unless every attendance is what its scans say, every count is the count of what it
    /// counts, every organization's log has each number once, and its audit log can be proved.
    pub async fn must_be_consistent(&self) {
        let kept = self.attendances().await;
        let mut rebuilt = self.rebuild().await;
        // A patron who only registered has an attendance without scans, and one who only left none.
        rebuilt
            .retain(|pair, presence| kept.contains_key(pair) || *presence != Presence::default());
        for pair in kept.keys() {
            rebuilt.entry(pair.clone()).or_default();
        }
        assert_eq!(kept, rebuilt, "the projection is not what the scans say");
        for (what, sql) in [
            (
                "an event's count",
                "SELECT count(*) FROM events AS event WHERE
                    attended_count <> (SELECT count(*) FROM attendances WHERE event_id = event.id AND attended)
                 OR inside_count <> (SELECT count(*) FROM attendances WHERE event_id = event.id AND inside)
                 OR registered_count <> (SELECT count(*) FROM attendances WHERE event_id = event.id AND registration = 'registered')
                 OR seats_taken <> (SELECT coalesce(sum(CASE WHEN registration = 'registered' THEN seats WHEN attended THEN 1 ELSE 0 END), 0)
                                    FROM attendances WHERE event_id = event.id)",
            ),
            (
                "a patron's points",
                "SELECT count(*) FROM patrons AS patron WHERE points <>
                    (SELECT coalesce(sum(points), 0) FROM loyalty_entries WHERE patron_id = patron.id)",
            ),
            (
                "a log's numbers",
                "SELECT count(*) FROM change_counters AS counter WHERE last_sequence <>
                    (SELECT count(*) FROM changes WHERE organization_id = counter.organization_id)
                 OR last_sequence <> (SELECT coalesce(max(sequence), 0) FROM changes WHERE organization_id = counter.organization_id)",
            ),
        ] {
            assert_eq!(self.number(sql).await, 0, "{what} is wrong");
        }
        for (organization, proof) in self.proofs().await {
            assert_eq!(proof.fault, None, "the audit log of {organization}");
        }
    }

    /// The ids of all scans, as the API writes them.
    pub async fn scan_ids(&self) -> Vec<String> {
        let id = self.hexadecimal("id");
        let ids = self
            .look(&format!("SELECT {id} FROM attendance_scans ORDER BY 1"))
            .await;
        ids.iter()
            .map(|id| uuid::Uuid::parse_str(id).expect("an id").to_string())
            .collect()
    }

    async fn attendances(&self) -> BTreeMap<String, Presence> {
        let sql = format!(
            "SELECT {event} || {patron} || '|' || (CASE WHEN attended THEN 1 ELSE 0 END) || '|' || (CASE WHEN inside THEN 1 ELSE 0 END)
                 || '|' || coalesce({check_in}, '') || '|' || coalesce({check_out}, '') || '|' || seconds_present FROM attendances",
            event = self.hexadecimal("event_id"),
            patron = self.hexadecimal("patron_id"),
            check_in = self.instant("check_in_time"),
            check_out = self.instant("check_out_time"),
        );
        let rows = self.look(&sql).await;
        rows.iter()
            .map(|row| {
                let columns: Vec<&str> = row.split('|').collect();
                let [pair, attended, inside, check_in, check_out, seconds] = columns[..] else {
                    panic!("{row}")
                };
                let presence = Presence {
                    attended: attended == "1",
                    inside: inside == "1",
                    check_in: (!check_in.is_empty()).then(|| time(check_in)),
                    check_out: (!check_out.is_empty()).then(|| time(check_out)),
                    seconds: seconds.parse().expect(row),
                };
                (pair.to_owned(), presence)
            })
            .collect()
    }

    async fn rebuild(&self) -> BTreeMap<String, Presence> {
        let sql = format!(
            "SELECT {event} || {patron} || '|' || direction || '|' || {at} FROM attendance_scans AS scan
             WHERE direction <> 'revert' AND outcome IN ('checked_in', 'checked_out', 'reentry', 'already_checked_in', 'not_checked_in')
                 AND NOT EXISTS (SELECT 1 FROM attendance_scans AS undo WHERE undo.supersedes = scan.id)
             ORDER BY occurred_at, id",
            event = self.hexadecimal("event_id"),
            patron = self.hexadecimal("patron_id"),
            at = self.instant("occurred_at"),
        );
        let mut presences: BTreeMap<String, Presence> = BTreeMap::new();
        let mut entered: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        for row in self.look(&sql).await {
            let columns: Vec<&str> = row.split('|').collect();
            let [pair, direction, at] = columns[..] else {
                panic!("{row}")
            };
            let (presence, at) = (presences.entry(pair.to_owned()).or_default(), time(at));
            match (direction, presence.inside) {
                ("in", false) => {
                    presence.check_in.get_or_insert(at);
                    (presence.attended, presence.inside, presence.check_out) = (true, true, None);
                    entered.insert(pair.to_owned(), at);
                }
                ("out", true) => {
                    presence.seconds += (at - entered[pair]).num_seconds();
                    (presence.inside, presence.check_out) = (false, Some(at));
                }
                ("present", _) => presence.attended = true,
                _ => {}
            }
        }
        presences
    }

    fn hexadecimal(&self, column: &str) -> String {
        match self.backend() {
            Backend::Sqlite => format!("lower(hex({column}))"),
            Backend::Postgres => format!("replace({column}::text, '-', '')"),
        }
    }

    fn instant(&self, column: &str) -> String {
        match self.backend() {
            Backend::Sqlite => column.to_owned(),
            Backend::Postgres => {
                format!(r#"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#)
            }
        }
    }
}

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .expect(text)
        .with_timezone(&Utc)
}
