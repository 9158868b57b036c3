//! `rollcall audit`, as whoever runs the machine sees it.

use super::{refused, run};
use crate::harness::{App, on_each_database};

on_each_database!(a_chain_is_proved_and_a_broken_one_is_told);

async fn a_chain_is_proved_and_a_broken_one_is_told(app: App) {
    for name in ["jazz", "chess"] {
        let owner = app.owner(name).await;
        owner.patron("Ada").await;
        owner.patron("Bo").await;
    }
    let slugs = app
        .database
        .look("SELECT slug FROM organizations ORDER BY slug")
        .await;
    let [chess, jazz] = &slugs[..] else {
        panic!("{slugs:?}")
    };
    let directory = tempfile::tempdir().expect("a directory");
    let url = app.database.url();
    let given = [("DATABASE_URL", url.as_str())];
    let said = run(directory.path(), &["audit", "verify"], &given);
    assert!(said.well, "{}", said.error);
    assert_eq!(said.error, "", "no log in a person's way");
    for slug in &slugs {
        let line = format!("{slug}: 3 entries hold. The last is 3, with the hash ");
        assert!(said.out.contains(&line), "{}", said.out);
    }
    let tampering = format!(
        "UPDATE audit_logs SET action = 'x' WHERE number = 2 AND organization_id = (SELECT id FROM organizations WHERE slug = '{jazz}')"
    );
    app.database.look(&tampering).await;
    let text = refused(directory.path(), &["audit", "verify"], &given);
    assert!(text.contains("of one organization does not hold"), "{text}");
    let said = run(directory.path(), &["audit", "verify"], &given);
    let line = format!("{jazz}: entry 2 was changed; 1 before it hold.");
    assert!(said.out.contains(&line), "{}", said.out);
    let one = run(
        directory.path(),
        &["audit", "verify", "--organization", chess],
        &given,
    );
    assert!(one.well && !one.out.contains(jazz.as_str()), "{}", one.out);
    let none = ["audit", "verify", "--organization", "never-was"];
    assert!(refused(directory.path(), &none, &given).contains("--organization"));
    app.stop().await;
}
