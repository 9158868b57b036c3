//! The worker of this process.

use std::time::Duration;

use chrono::TimeDelta;
use entity::jobs::job;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::{
    Db, Error, Result, Scope, System,
    attendance::imports::{commit, import, plan},
    organizations::account,
    permission::ImportsCreate,
    scope::Committed,
};

/// A job belongs to its taker for this long; the taker renews it while it works.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(20);
/// Jobs are looked for this often even if nothing was heard of any.
pub(super) const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// A job that failed this often is given up.
const TRIES: i32 = 5;

/// Carries jobs out, one after the other.
pub struct Worker {
    db: Db,
    stop: CancellationToken,
}

impl Worker {
    /// A worker on this database.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            stop: CancellationToken::new(),
        }
    }

    /// Works until `stop`. A job under way is handed to the next taker, which goes on from its last
    /// chunk.
    pub async fn run(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
        let mut committed = self.db.committed();
        while !stop.is_cancelled() {
            if let Err(error) = Box::pin(self.work()).await {
                tracing::warn!(%error, "jobs.retry");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = enqueued(&mut committed) => {}
                () = tokio::time::sleep(AT_LEAST_EVERY) => {}
            }
        }
    }

    /// Takes and does what is due, until nothing is.
    ///
    /// # Errors
    /// The database is away.
    pub async fn work(&self) -> Result<()> {
        let system = System::new(&self.db, "carry out a job");
        while !self.stop.is_cancelled()
            && let Some(job) = system.claim_jobs(LEASE, 1).await?.pop()
        {
            self.carry_out(&system, job).await?;
        }
        Ok(())
    }

    async fn carry_out(&self, system: &System, job: job::Model) -> Result<()> {
        tracing::info!(job.kind, job.id = %job.id, job.attempts, "job.started");
        let scope = system.scope(job.organization_id);
        // The lease is renewed beside the work, never in its way: both may want the one writer.
        let result = tokio::select! {
            result = self.dispatch(&scope, &job) => result,
            () = self.renew(system, &job) => Ok(()),
            () = self.stop.cancelled() => return hand_back(system, &job).await,
        };
        if let Err(error) = &result
            && job.attempts >= TRIES
        {
            tracing::error!(?error, job.kind, job.id = %job.id, "job.given_up");
            give_up(&scope, &job).await?;
        }
        metrics::counter!("rollcall_jobs_total", "kind" => job.kind.clone(), "result" => if result.is_ok() { "done" } else { "failed" })
            .increment(1);
        let transaction = system.begin(true).await?;
        match &result {
            Err(error) if job.attempts < TRIES => {
                tracing::warn!(?error, job.kind, job.id = %job.id, "job.failed");
                let pause = TimeDelta::seconds(1 << job.attempts.clamp(0, 10));
                job::Entity::update_many()
                    .col_expr(
                        job::Column::LeasedUntil,
                        Expr::value(None::<chrono::DateTime<chrono::Utc>>),
                    )
                    .col_expr(
                        job::Column::RunAt,
                        Expr::value(system.clock().now() + pause),
                    )
                    .col_expr(job::Column::Failure, Expr::value(format!("{error:?}")))
                    .filter(job::Column::Id.eq(job.id))
                    .exec(&*transaction)
                    .await?;
            }
            Ok(()) | Err(_) => {
                job::Entity::delete_by_id(job.id)
                    .exec(&*transaction)
                    .await?;
            }
        }
        transaction.commit().await
    }

    async fn dispatch(&self, scope: &Scope, job: &job::Model) -> Result<()> {
        match &*job.kind {
            import::READ => plan::run(scope, job.subject_id.into()).await,
            import::COMMIT => commit::run(scope, job.subject_id.into()).await,
            account::END => account::end(scope, job.subject_id.into()).await,
            // Left by a newer release: it will be taken again by an instance that knows it.
            other => Err(Error::Internal(format!("a job of unknown kind {other}"))),
        }
    }

    /// Renews the lease for ever.
    async fn renew(&self, system: &System, job: &job::Model) {
        loop {
            tokio::time::sleep(RENEW).await;
            if let Err(error) = self.extend(system, job).await {
                tracing::warn!(%error, job.id = %job.id, "job.renewal.failed");
            }
        }
    }

    async fn extend(&self, system: &System, job: &job::Model) -> Result<()> {
        let transaction = system.begin(true).await?;
        job::Entity::update_many()
            .col_expr(
                job::Column::LeasedUntil,
                Expr::value(system.clock().now() + LEASE),
            )
            .filter(job::Column::Id.eq(job.id))
            .exec(&*transaction)
            .await?;
        transaction.commit().await
    }
}

/// Waits until work was asked for in this process.
pub(super) async fn enqueued(committed: &mut Receiver<Committed>) {
    loop {
        match committed.recv().await {
            Ok(Committed::JobEnqueued) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Ends the lease of a job that is not done, through no fault of its own.
async fn hand_back(system: &System, job: &job::Model) -> Result<()> {
    let transaction = system.begin(true).await?;
    job::Entity::update_many()
        .col_expr(
            job::Column::LeasedUntil,
            Expr::value(None::<chrono::DateTime<chrono::Utc>>),
        )
        .col_expr(job::Column::Attempts, Expr::value(job.attempts - 1))
        .filter(job::Column::Id.eq(job.id))
        .exec(&*transaction)
        .await?;
    transaction.commit().await
}

/// Tells the job's subject that nothing more will come of it. What an account leaves behind, its purge
/// ends at the latest.
async fn give_up(scope: &Scope, job: &job::Model) -> Result<()> {
    if job.kind == account::END {
        return Ok(());
    }
    let writer = scope.writer::<ImportsCreate>().await?;
    plan::fail(
        writer,
        job.subject_id.into(),
        "Something went wrong on our side, several times. Rows written before stay.",
    )
    .await
}
