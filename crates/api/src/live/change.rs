//! Changes of attendance, from the organization's numbered log.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Subscription};
use chrono::{DateTime, Utc};
use domain::{
    ChangeKind, Code, Error, Scope,
    attendance::scan::AttendanceId,
    live::{
        Hub,
        feed::{self, Batch, Filter, LoggedChange},
        subscription,
    },
    page::DEFAULT_SIZE,
    permission::{AttendanceRead, EventsRead, PatronsRead},
};
use futures_util::{Stream, future::BoxFuture, stream};

use super::subscriber::Turn;
use crate::{
    attendance::attendance::{Attendance, AttendanceById},
    error::Result,
    events::event::{Event, EventById},
    id,
    loader::{Loaded, Relation},
    long::Long,
    operation::Operation,
    patrons::patron::{Patron, PatronById},
    requires::Requires,
    selection::{Rows, Selection},
};

/// One thing that happened to an attendance.
#[derive(Clone)]
pub struct AttendanceChange {
    row: Arc<LoggedChange>,
    kind: AttendanceChangeType,
}

/// Some changes in the order of their commits, and where to go on.
pub struct AttendanceChangeBatch {
    changes: Vec<AttendanceChange>,
    cursor: String,
    caught_up: bool,
}

/// What can happen to an attendance.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AttendanceChangeType {
    /// A patron registered.
    Registered,
    /// A registration was given back.
    RegistrationCancelled,
    /// A patron arrived.
    CheckedIn,
    /// A patron left.
    CheckedOut,
    /// An arrival or departure was undone.
    CheckInReverted,
    /// A message that came late changed what the attendance says.
    Corrected,
}

/// The end of the log, as a cursor: the same for everything that one answer shows.
pub struct EndOfLog;

/// Queries of the log.
#[derive(Default)]
pub struct ChangeQuery;

/// Subscriptions to the log.
#[derive(Default)]
pub struct ChangeSubscription;

#[Object]
impl ChangeQuery {
    /// Changes of attendance in the order of their commits, from `after` on; from the beginning
    /// when it is left out. The same changes as `attendanceChanged` gives, for who asks now and then.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn attendance_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this event.")] event_id: Option<ID>,
        #[graphql(desc = "Only these types; all when left out.")] types: Option<
            Vec<AttendanceChangeType>,
        >,
        #[graphql(desc = "The `cursor` of an earlier batch, or an event's `changeCursor`.")] after: Option<String>,
        #[graphql(desc = "How many at most: 1 to 500; 20 when left out.")] first: Option<i32>,
    ) -> Result<AttendanceChangeBatch> {
        let reader = Operation::of(context).reader().await?;
        let position = after.map_or(Ok(0), |cursor| feed::position(reader.scope(), &cursor))?;
        let batch = feed::read(
            &reader,
            &filter(event_id, types.as_deref())?,
            position,
            size(first)?,
        )
        .await?;
        Ok(AttendanceChangeBatch::new(batch, reader.scope()))
    }
}

/// What can be followed, over a WebSocket or as server-sent events.
#[Subscription]
impl ChangeSubscription {
    /// Changes of attendance as they are committed. With `after`, first what was missed since: no
    /// gap and no repeat, across restarts and instances. A batch without changes says that the
    /// stream is alive. It ends with an error when the right to read does.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn attendance_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this event.")] event_id: Option<ID>,
        #[graphql(desc = "Only these types; all when left out.")] types: Option<
            Vec<AttendanceChangeType>,
        >,
        #[graphql(
            desc = "The `cursor` of the last batch that was handled, or an event's `changeCursor`."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<AttendanceChangeBatch>> + use<>> {
        let turn = context.data_unchecked::<Arc<Turn>>();
        let batch = turn.batch();
        if batch.is_none() {
            let hub = context.data_unchecked::<Hub>();
            let caller = Operation::of(context).require_caller()?;
            let filter = filter(event_id, types.as_deref())?;
            turn.begin(subscription::follow(hub, caller, filter, after).await?);
        }
        Ok(stream::iter(batch))
    }
}

/// Some changes in the order of their commits, and where to go on.
#[Object]
impl AttendanceChangeBatch {
    /// The changes.
    async fn changes(&self, context: &Context<'_>) -> &[AttendanceChange] {
        let selected = Selection::of(context);
        AttendanceChange::prefetch(self.changes.clone(), Operation::of(context), selected).await;
        &self.changes
    }

    /// Where to go on, for `after`.
    fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Whether there was nothing after it when it was read.
    fn caught_up(&self) -> bool {
        self.caught_up
    }
}

/// One thing that happened to an attendance.
#[Object]
impl AttendanceChange {
    /// Its number in the organization's log. Numbers rise; other kinds of changes have some, too.
    fn sequence(&self) -> Long {
        Long(self.row.sequence)
    }

    /// What happened.
    #[graphql(name = "type")]
    fn kind(&self) -> AttendanceChangeType {
        self.kind
    }

    /// When it happened.
    fn occurred_at(&self) -> DateTime<Utc> {
        self.row.occurred_at
    }

    /// When it was written.
    fn recorded_at(&self) -> DateTime<Utc> {
        self.row.recorded_at
    }

    /// Where, as it is now.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn event(&self, context: &Context<'_>) -> Option<Result<Event>> {
        Operation::of(context)
            .load::<EventById>(self.row.event_id?)
            .await
            .transpose()
    }

    /// To whom, as they are now.
    #[graphql(directive = Requires::apply(PatronsRead))]
    async fn patron(&self, context: &Context<'_>) -> Option<Result<Patron>> {
        Operation::of(context)
            .load::<PatronById>(self.row.patron_id?)
            .await
            .transpose()
    }

    /// The attendance as it is now.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn attendance(&self, context: &Context<'_>) -> Option<Result<Attendance>> {
        let id = AttendanceId::from(self.row.subject_id);
        Operation::of(context)
            .load::<AttendanceById>(id)
            .await
            .transpose()
    }

    /// Why, where somebody said so.
    fn reason(&self) -> Option<&str> {
        self.row.data.get("reason")?.as_str()
    }
}

impl AttendanceChangeBatch {
    /// A batch of the organization's log.
    pub(super) fn new(batch: Batch, scope: &Scope) -> Self {
        let change = |row: Arc<LoggedChange>| {
            let kind = AttendanceChangeType::of(ChangeKind::parse(&row.kind)?)?;
            Some(AttendanceChange { row, kind })
        };
        Self {
            changes: batch.changes.into_iter().filter_map(change).collect(),
            cursor: feed::cursor(scope, batch.position),
            caught_up: batch.caught_up,
        }
    }
}

impl AttendanceChangeType {
    fn of(kind: ChangeKind) -> Option<Self> {
        match kind {
            ChangeKind::Registered => Some(Self::Registered),
            ChangeKind::RegistrationCancelled => Some(Self::RegistrationCancelled),
            ChangeKind::CheckedIn => Some(Self::CheckedIn),
            ChangeKind::CheckedOut => Some(Self::CheckedOut),
            ChangeKind::CheckInReverted => Some(Self::CheckInReverted),
            ChangeKind::Corrected => Some(Self::Corrected),
            _ => None,
        }
    }
}

impl Relation for EndOfLog {
    type Key = ();
    type Value = String;

    async fn load(scope: Scope, _: Vec<()>) -> Loaded<Self> {
        let end = feed::end(&scope.reader()?).await?;
        Ok(vec![((), Ok(feed::cursor(&scope, end)))])
    }
}

impl Rows for AttendanceChange {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let events = selected.field("event");
            if events.is_asked() {
                let ids = rows
                    .iter()
                    .filter_map(|change| change.row.event_id)
                    .collect();
                Event::prefetch(
                    operation.load_all::<EventById>(ids).await,
                    operation,
                    events,
                )
                .await;
            }
            let patrons = selected.field("patron");
            if patrons.is_asked() {
                let ids = rows
                    .iter()
                    .filter_map(|change| change.row.patron_id)
                    .collect();
                Patron::prefetch(
                    operation.load_all::<PatronById>(ids).await,
                    operation,
                    patrons,
                )
                .await;
            }
            let attendances = selected.field("attendance");
            if attendances.is_asked() {
                let ids = rows
                    .iter()
                    .map(|change| change.row.subject_id.into())
                    .collect();
                let found = operation.load_all::<AttendanceById>(ids).await;
                Attendance::prefetch(found, operation, attendances).await;
            }
        })
    }
}

fn filter(event: Option<ID>, types: Option<&[AttendanceChangeType]>) -> domain::Result<Filter> {
    let wanted = |kind: &ChangeKind| {
        let kind = AttendanceChangeType::of(*kind);
        types.is_none_or(|types| kind.is_some_and(|kind| types.contains(&kind)))
    };
    Ok(Filter {
        event: event.map(|id| id::decode(&id, "eventId")).transpose()?,
        kinds: feed::ATTENDANCE.iter().copied().filter(wanted).collect(),
    })
}

fn size(first: Option<i32>) -> domain::Result<u64> {
    let Some(first) = first else {
        return Ok(DEFAULT_SIZE);
    };
    let size = u64::try_from(first)
        .ok()
        .filter(|size| (1..=feed::BATCH).contains(size));
    size.ok_or_else(|| {
        let message = format!("A batch has 1 to {} changes.", feed::BATCH);
        Error::refused(Code::Invalid, "first", message)
    })
}
