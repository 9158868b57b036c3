//! Sends the mails of the outbox.

use std::time::Duration;

use chrono::TimeDelta;
use entity::{
    identity::user::{self, UserId},
    jobs::mail,
};
use futures_util::future::join_all;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    Set,
};
use tokio_util::sync::CancellationToken;

use super::worker::{AT_LEAST_EVERY, enqueued};
use crate::{
    Db, Error, Result, System,
    identity::account_token,
    mail::{Kind, Locale, Message, Parts, UNSENT},
    organizations::acceptance,
    secret::Token,
};

/// A mail belongs to its taker for this long, which is more than [`PATIENCE`].
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// A mail is handed over within this time, or that failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// Mails that are handed over at once.
const AT_ONCE: i64 = 8;
/// How long it rests after each failure; after one more it is given up. A day, all in all.
const PAUSES: [TimeDelta; 8] = [
    TimeDelta::seconds(10),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(1),
    TimeDelta::hours(3),
    TimeDelta::hours(6),
    TimeDelta::hours(12),
];
/// A mail that was sent is kept for so long.
const SENT: TimeDelta = TimeDelta::days(30);
/// How often it is tried.
const TRIES: i32 = 9;

/// The way that mails take.
pub trait Transport: Send + Sync + 'static {
    /// Hands a mail over.
    ///
    /// # Errors
    /// Why it was not taken, for whoever runs the machine.
    fn send(&self, message: Message) -> impl Future<Output = Result<(), String>> + Send;
}

/// Sends mails. Each is handed over at least once: one whose acknowledgement was lost comes again, with
/// another token, which is the one that works.
pub struct Mailer<T> {
    db: Db,
    transport: T,
    public_url: String,
}

/// What has become of a mail.
enum Outcome {
    Sent,
    /// Nobody is to get it any more.
    Void,
    Failed(String),
}

impl<T: Transport> Mailer<T> {
    /// A mailer of this database, whose links lead to `public_url`.
    #[must_use]
    pub fn new(db: &Db, transport: T, public_url: String) -> Self {
        Self {
            db: db.clone(),
            transport,
            public_url,
        }
    }

    /// Sends until `stop`; what is being handed over then is waited for.
    pub async fn run(self, stop: CancellationToken) {
        let mut committed = self.db.committed();
        while !stop.is_cancelled() {
            if let Err(error) = Box::pin(self.work(&stop)).await {
                tracing::warn!(%error, "mails.retry");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = enqueued(&mut committed) => {}
                () = tokio::time::sleep(AT_LEAST_EVERY) => {}
            }
        }
    }

    async fn work(&self, stop: &CancellationToken) -> Result<()> {
        let system = System::new(&self.db, "send mails");
        while !stop.is_cancelled() {
            let mails = system.claim_mails(LEASE, TRIES, AT_ONCE).await?;
            if mails.is_empty() {
                break;
            }
            let sending = mails.into_iter().map(|mail| self.send(&system, mail));
            join_all(sending)
                .await
                .into_iter()
                .collect::<Result<()>>()?;
        }
        Ok(())
    }

    async fn send(&self, system: &System, mail: mail::Model) -> Result<()> {
        let outcome = match self.compose(system, &mail).await {
            Ok(None) => Outcome::Void,
            Ok(Some(message)) => {
                let handed_over = tokio::time::timeout(PATIENCE, self.transport.send(message));
                match handed_over.await {
                    Ok(Ok(())) => Outcome::Sent,
                    Ok(Err(failure)) => Outcome::Failed(failure),
                    Err(_) => Outcome::Failed("it took too long".to_owned()),
                }
            }
            Err(error) => Outcome::Failed(format!("{error:?}")),
        };
        settle(system, mail, outcome).await
    }

    /// Finds the words, and makes the token of a mail that has one; none if nobody is to get it. A new
    /// kind says here how its token is made.
    async fn compose(&self, system: &System, mail: &mail::Model) -> Result<Option<Message>> {
        // Left by a newer release: one of its instances will take it.
        let kind = Kind::parse(&mail.kind)
            .ok_or_else(|| Error::Internal(format!("a mail of unknown kind {}", mail.kind)))?;
        let mut person = match mail.user_id {
            None => None,
            Some(user) => match find(system, user, kind).await? {
                None => return Ok(None),
                person => person,
            },
        };
        let token: Option<Token> = match kind {
            Kind::VerifyEmail | Kind::ChangeEmail => {
                let Some(token) = account_token::mint(system, &mail.data).await? else {
                    return Ok(None);
                };
                Some(token)
            }
            Kind::ResetPassword => {
                let minted = account_token::mint_reset(system, mail).await?;
                let Some((user, token)) = minted else {
                    return Ok(None);
                };
                person = Some(user);
                Some(token)
            }
            Kind::Invitation => {
                let Some(token) = acceptance::mint(system, &mail.data).await? else {
                    return Ok(None);
                };
                Some(token)
            }
            Kind::EmailChangeRequested
            | Kind::EmailChanged
            | Kind::PasswordChanged
            | Kind::SecondFactorAdded
            | Kind::SecondFactorRemoved
            | Kind::RecoveryCodesReplaced
            | Kind::RecoveryCodeUsed
            | Kind::AccountClosed
            | Kind::AccountLinked
            | Kind::AccountUnlinked => None,
        };
        let nothing = serde_json::Map::new();
        Ok(Some(Message::new(Parts {
            id: format!("{}.{}", mail.id, mail.attempts),
            kind,
            recipient: mail.recipient.clone(),
            locale: person
                .as_ref()
                .map_or_else(Locale::default, |user| Locale::of(&user.locale)),
            name: person.as_ref().map_or("", |user| &user.first_name),
            data: mail.data.as_object().unwrap_or(&nothing),
            token,
            public_url: &self.public_url,
        })))
    }
}

/// The account, unless it was closed and the mail is about anything else.
async fn find(system: &System, user: UserId, kind: Kind) -> Result<Option<user::Model>> {
    let transaction = system.begin(false).await?;
    let mut account = user::Entity::find_by_id(user);
    if kind != Kind::AccountClosed {
        account = account.filter(user::Column::DeletedAt.is_null());
    }
    Ok(account.one(&*transaction).await?)
}

/// Writes down what became of a mail.
async fn settle(system: &System, mail: mail::Model, outcome: Outcome) -> Result<()> {
    let now = system.clock().now();
    let (id, kind, attempts) = (mail.id, mail.kind, mail.attempts);
    let update = match outcome {
        Outcome::Sent => {
            tracing::info!(mail.kind = kind, mail.id = %id, "mail.sent");
            count(kind, "sent");
            mail::ActiveModel {
                id: Set(id),
                failure: Set(None),
                sent_at: Set(Some(now)),
                ..Default::default()
            }
        }
        Outcome::Failed(failure) => {
            tracing::warn!(mail.kind = kind, mail.id = %id, attempts, failure, "mail.failed");
            count(kind, "failed");
            mail::ActiveModel {
                id: Set(id),
                failure: Set(Some(failure)),
                run_at: Set(now + pause(attempts)),
                ..Default::default()
            }
        }
        Outcome::Void => {
            count(kind, "void");
            let transaction = system.begin(true).await?;
            mail::Entity::delete_by_id(id).exec(&*transaction).await?;
            return transaction.commit().await;
        }
    };
    let transaction = system.begin(true).await?;
    update.update(&*transaction).await?;
    transaction.commit().await
}

/// Removes up to `size` mails that were sent long ago, or will not be any more, and gives how many.
pub(super) async fn purge(system: &System, size: u64) -> Result<u64> {
    let now = system.clock().now();
    let unsent = Condition::all()
        .add(mail::Column::SentAt.is_null())
        .add(mail::Column::CreatedAt.lte(now - UNSENT));
    let over = Condition::any()
        .add(mail::Column::SentAt.lte(now - SENT))
        .add(unsent);
    let over = mail::Entity::find()
        .select_only()
        .column(mail::Column::Id)
        .filter(over)
        .limit(size);
    let transaction = system.begin(true).await?;
    let removed = mail::Entity::delete_many()
        .filter(mail::Column::Id.in_subquery(over.into_query()))
        .exec(&*transaction)
        .await?;
    transaction.commit().await?;
    Ok(removed.rows_affected)
}

fn count(kind: String, result: &'static str) {
    metrics::counter!("rollcall_mails_total", "kind" => kind, "result" => result).increment(1);
}

/// How long a mail rests that was tried so often.
fn pause(attempts: i32) -> TimeDelta {
    let tried = usize::try_from(attempts)
        .unwrap_or_default()
        .clamp(1, PAUSES.len());
    PAUSES[tried - 1]
}
