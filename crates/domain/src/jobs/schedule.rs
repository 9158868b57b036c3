//! Does what is due again and again: each task once a period, however many instances there are.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::jobs::schedule;
use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cleanup::{Batch, TASKS, Task};
use crate::{Db, Error, Result, Scope, System, organizations::slug};

/// A task belongs to its taker for this long; the taker renews it between batches.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// It is renewed when so much of that is over.
const RENEW_AFTER: TimeDelta = TimeDelta::minutes(1);
/// How long a task rests that failed.
const PAUSE: TimeDelta = TimeDelta::minutes(10);
/// How often it is looked for what is due.
const EVERY: Duration = Duration::from_secs(30);

/// Carries out the tasks of [`TASKS`], one after the other.
pub struct Scheduler {
    db: Db,
    /// Who it is to other instances.
    holder: Uuid,
    stop: CancellationToken,
}

/// A task under way.
struct Run<'a> {
    scheduler: &'a Scheduler,
    system: &'a System,
    task: &'a Task,
    renewed_at: DateTime<Utc>,
    rows: u64,
}

impl Scheduler {
    /// A scheduler on this database.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            holder: Uuid::new_v4(),
            stop: CancellationToken::new(),
        }
    }

    /// Works until `stop`. A task under way is handed to the next taker after its present batch.
    pub async fn run(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
        while !stop.is_cancelled() {
            if let Err(error) = Box::pin(self.work()).await {
                tracing::warn!(%error, "schedule.retry");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Does what is due that no other instance is at, and says how many tasks that were. A task that
    /// was never heard of is due one period later.
    ///
    /// # Errors
    /// The database is away.
    pub async fn work(&self) -> Result<usize> {
        let system = System::new(&self.db, "do what is due");
        let known = schedules(&system).await?;
        let mut done = 0;
        plan(&system, &known).await?;
        for task in TASKS {
            let row = known.iter().find(|row| row.task == task.name);
            let now = system.clock().now();
            if row.is_none_or(|row| row.next_run_at > now) {
                continue;
            }
            if self.stop.is_cancelled() {
                break;
            }
            if self.take(&system, task, now).await? {
                self.carry_out(&system, task, now).await?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Takes a task, unless another instance did, and has not been silent since for too long.
    async fn take(&self, system: &System, task: &Task, now: DateTime<Utc>) -> Result<bool> {
        let free = Condition::any()
            .add(schedule::Column::LeasedUntil.is_null())
            .add(schedule::Column::LeasedUntil.lt(now));
        let transaction = system.begin(true).await?;
        let taken = schedule::Entity::update_many()
            .col_expr(schedule::Column::Holder, Expr::value(self.holder))
            .col_expr(schedule::Column::LeasedUntil, Expr::value(now + LEASE))
            .filter(schedule::Column::Task.eq(task.name))
            .filter(schedule::Column::NextRunAt.lte(now))
            .filter(free)
            .exec(&*transaction)
            .await?;
        transaction.commit().await?;
        Ok(taken.rows_affected == 1)
    }

    async fn carry_out(&self, system: &System, task: &Task, now: DateTime<Utc>) -> Result<()> {
        let mut run = Run {
            scheduler: self,
            system,
            task,
            renewed_at: now,
            rows: 0,
        };
        run.count(0);
        let result = match &task.batch {
            Batch::Global(batch) => run.all(|| batch(system)).await.map(drop),
            Batch::Each(batch) => run.each(*batch).await,
        };
        let rows = run.rows;
        let end = system.clock().now();
        let next = match result {
            Ok(()) if self.stop.is_cancelled() => {
                tracing::info!(task.name, rows, "cleanup.stopped");
                return self.hand_back(system, task, None).await;
            }
            Ok(()) => {
                tracing::info!(task.name, rows, "cleanup.done");
                end + task.period
            }
            Err(error) => {
                tracing::warn!(?error, task.name, rows, "cleanup.failed");
                return self.hand_back(system, task, Some(end + PAUSE)).await;
            }
        };
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let transaction = system.begin(true).await?;
        self.released()
            .col_expr(schedule::Column::NextRunAt, Expr::value(next))
            .col_expr(schedule::Column::LastRunAt, Expr::value(end))
            .col_expr(schedule::Column::LastRows, Expr::value(rows))
            .filter(schedule::Column::Task.eq(task.name))
            .exec(&*transaction)
            .await?;
        transaction.commit().await
    }

    /// Lets another instance go on, at once or from `next` on.
    async fn hand_back(
        &self,
        system: &System,
        task: &Task,
        next: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let mut update = self.released();
        if let Some(next) = next {
            update = update.col_expr(schedule::Column::NextRunAt, Expr::value(next));
        }
        let transaction = system.begin(true).await?;
        update
            .filter(schedule::Column::Task.eq(task.name))
            .exec(&*transaction)
            .await?;
        transaction.commit().await
    }

    /// What ends the lease of a task, if it still is this one's.
    fn released(&self) -> sea_orm::UpdateMany<schedule::Entity> {
        schedule::Entity::update_many()
            .col_expr(schedule::Column::Holder, Expr::value(None::<Uuid>))
            .col_expr(
                schedule::Column::LeasedUntil,
                Expr::value(None::<DateTime<Utc>>),
            )
            .filter(schedule::Column::Holder.eq(self.holder))
    }
}

impl<'a> Run<'a> {
    /// Does batches until nothing is left, and says whether it may go on.
    async fn all(&mut self, batch: impl Fn() -> BoxFuture<'a, Result<u64>>) -> Result<bool> {
        loop {
            if self.scheduler.stop.is_cancelled() || !self.renew().await? {
                return Ok(false);
            }
            match batch().await? {
                0 => return Ok(true),
                rows => self.count(rows),
            }
        }
    }

    /// The same for each organization. One that fails keeps none of the others back.
    async fn each(&mut self, batch: fn(Scope) -> BoxFuture<'static, Result<u64>>) -> Result<()> {
        let (mut after, mut failure) = (String::new(), None);
        loop {
            let page = slug::after(self.system, &after).await?;
            let Some((last, _)) = page.last() else {
                return failure.map_or(Ok(()), Err);
            };
            after.clone_from(last);
            for (_, organization) in page {
                let system = self.system;
                match self.all(|| batch(system.scope(organization))).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error @ Error::Unavailable(_)) => return Err(error),
                    Err(error) => {
                        tracing::warn!(?error, self.task.name, %organization, "cleanup.skipped");
                        failure = Some(error);
                    }
                }
            }
        }
    }

    fn count(&mut self, rows: u64) {
        self.rows += rows;
        metrics::counter!("rollcall_cleanup_rows_total", "task" => self.task.name).increment(rows);
    }

    /// Says that this one is alive, now and then, and whether the task still is this one's.
    async fn renew(&mut self) -> Result<bool> {
        let now = self.system.clock().now();
        if now - self.renewed_at < RENEW_AFTER {
            return Ok(true);
        }
        self.renewed_at = now;
        let transaction = self.system.begin(true).await?;
        let renewed = schedule::Entity::update_many()
            .col_expr(schedule::Column::LeasedUntil, Expr::value(now + LEASE))
            .filter(schedule::Column::Task.eq(self.task.name))
            .filter(schedule::Column::Holder.eq(self.scheduler.holder))
            .exec(&*transaction)
            .await?;
        transaction.commit().await?;
        Ok(renewed.rows_affected == 1)
    }
}

async fn schedules(system: &System) -> Result<Vec<schedule::Model>> {
    let transaction = system.begin(false).await?;
    Ok(schedule::Entity::find().all(&*transaction).await?)
}

/// Notes when those are due for the first time that nobody has heard of. Of several instances that start
/// at once, one does.
async fn plan(system: &System, known: &[schedule::Model]) -> Result<()> {
    let now = system.clock().now();
    let new: Vec<_> = TASKS
        .iter()
        .filter(|task| known.iter().all(|row| row.task != task.name))
        .map(|task| schedule::ActiveModel {
            task: Set(task.name.to_owned()),
            next_run_at: Set(now + task.period),
            holder: Set(None),
            leased_until: Set(None),
            last_run_at: Set(None),
            last_rows: Set(0),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let known = OnConflict::column(schedule::Column::Task)
        .do_nothing()
        .to_owned();
    let transaction = system.begin(true).await?;
    schedule::Entity::insert_many(new)
        .on_conflict(known)
        .exec_without_returning(&*transaction)
        .await?;
    transaction.commit().await
}
