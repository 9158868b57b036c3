//! The audit logs of a database, proved.

use domain::{
    Clock, Db, System,
    audit::proof::{self, Proof},
    organizations::slug,
    permission::AuditRead,
};

use super::{TestDatabase, configuration};

impl TestDatabase {
    /// How far each organization's audit log holds, by its slug.
    pub async fn proofs(&self) -> Vec<(String, Proof)> {
        let database = configuration(self, &[]).database;
        let db = Db::open(&database, Clock::system()).await;
        let db = db.expect("the database");
        let system = System::new(&db, "prove in a test");
        let organizations = slug::after(&system, "").await.expect("organizations");
        let mut proofs = Vec::new();
        for (slug, organization) in organizations {
            let reader = system.scope(organization).reader::<AuditRead>();
            let reader = reader.expect("every permission");
            proofs.push((slug, proof::verify(&reader).await.expect("a proof")));
            reader.scope().close_snapshot().await;
        }
        db.close().await;
        proofs
    }
}
