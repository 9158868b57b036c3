//! Invitations, for those who invite.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Code, Error, Scope,
    organizations::{
        invitation::{self, InvitationId, NewInvitation},
        invitation_file,
    },
    page::PageRequest,
    permission::{InvitationsCreate, InvitationsDelete, InvitationsRead, MembersRead},
};

use crate::{
    connection::Connection,
    error::Result,
    fields, id,
    identity::user::{User, UserById},
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    selection::Selection,
    time::Time,
    user_error::{Settled, UserError, payload},
};

/// An invitation to belong to the organization.
#[derive(Clone)]
pub struct Invitation(Arc<invitation::Invitation>);

/// An invitation by its id.
pub struct InvitationById;

/// What became of an invitation.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "invitation::Status")]
pub enum InvitationStatus {
    /// Nothing yet.
    Pending,
    /// They belong to the organization.
    Accepted,
    /// They did not want to.
    Declined,
    /// It was taken back.
    Revoked,
    /// Nobody answered within seven days.
    Expired,
}

/// Whom to invite, and as what.
#[derive(InputObject)]
pub struct CreateInvitationInput {
    /// Their address, whether or not there is an account of it.
    email: String,
    /// Slug of the role that they are to have.
    role: String,
}

/// A file of people to invite.
#[derive(InputObject)]
pub struct ImportInvitationsInput {
    /// A CSV file in UTF-8 of at most 128 KiB and 500 people, in base64. Its first line names the
    /// columns: `email`, and perhaps `role`.
    content: String,
    /// Slug of the role of those of whom the file says none.
    role: String,
}

/// Which invitation.
#[derive(InputObject)]
pub struct ResendInvitationInput {
    /// One that nobody answered yet.
    invitation_id: ID,
}

/// Which invitation.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// One that nobody answered yet.
    invitation_id: ID,
}

/// What became of a change to an invitation.
#[derive(SimpleObject)]
pub struct InvitationPayload {
    /// The invitation after it.
    invitation: Option<Invitation>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of a file of people to invite.
#[derive(SimpleObject)]
pub struct ImportInvitationsPayload {
    /// Each row of the file.
    rows: Vec<InvitedRow>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// A row of a file, and what became of it.
#[derive(SimpleObject)]
pub struct InvitedRow {
    /// Its line in the file, from 1.
    line: i32,
    /// The address as the file has it.
    email: String,
    /// The invitation; null if something is wrong.
    invitation: Option<Invitation>,
    /// What is wrong with the row.
    error: Option<UserError>,
}

/// Queries about invitations.
#[derive(Default)]
pub struct InvitationQuery;

/// Mutations of invitations.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationQuery {
    /// The organization's invitations, newest first.
    #[graphql(directive = Requires::apply(InvitationsRead))]
    async fn invitations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those of which this became.")] status: Option<InvitationStatus>,
    ) -> Result<Connection<Invitation>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        let page = invitation::list(&reader, status.map(Into::into), &request).await?;
        Ok(Connection::prefetched(page, operation, &selected).await)
    }
}

#[Object]
impl InvitationMutation {
    /// Invites somebody by their address, to which a token is mailed that `acceptInvitation` takes.
    #[graphql(directive = Requires::apply(InvitationsCreate))]
    async fn create_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and as what.")] input: CreateInvitationInput,
    ) -> Option<Result<InvitationPayload>> {
        let input = NewInvitation {
            email: input.email,
            role: input.role,
        };
        let operation = Operation::of(context);
        let work = async {
            invitation::create(operation.writer().await?, operation.limits(), input).await
        };
        payload(work).await
    }

    /// Invites everybody in a file. What is wrong with a row keeps no other back.
    #[graphql(directive = Requires::apply(InvitationsCreate))]
    async fn import_invitations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and as what.")] input: ImportInvitationsInput,
    ) -> Option<Result<ImportInvitationsPayload>> {
        let operation = Operation::of(context);
        let work = async {
            let file = STANDARD
                .decode(&input.content)
                .map_err(|_| Error::refused(Code::Invalid, "content", "This is not base64."))?;
            let (writer, limits) = (operation.writer().await?, operation.limits());
            invitation_file::invite_all(writer, limits, &file, &input.role).await
        };
        payload(work).await
    }

    /// Mails an invitation once more, for another seven days. The token before opens nothing any more.
    #[graphql(directive = Requires::apply(InvitationsCreate))]
    async fn resend_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResendInvitationInput,
    ) -> Option<Result<InvitationPayload>> {
        let operation = Operation::of(context);
        let work = async {
            let id = id::decode(&input.invitation_id, "invitationId")?;
            invitation::resend(operation.writer().await?, operation.limits(), id).await
        };
        payload(work).await
    }

    /// Takes an invitation back: its token opens nothing any more.
    #[graphql(directive = Requires::apply(InvitationsDelete))]
    async fn revoke_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> Option<Result<InvitationPayload>> {
        let work = async {
            let id = id::decode(&input.invitation_id, "invitationId")?;
            invitation::revoke(Operation::of(context).writer().await?, id).await
        };
        payload(work).await
    }
}

fields! {
    /// An invitation to belong to the organization.
    Invitation in invitation::table;
    columns {
        /// Global id.
        id: ID = id;
        /// The address that it was mailed to.
        email: &str = email;
        /// Slug of the role that they are to have.
        role: &str = role;
        /// When they were invited.
        created_at: Time = created_at;
        /// Until when it can be accepted.
        expires_at: Time = expires_at;
        /// When something became of it.
        settled_at: Option<Time> = settled_at;
    }
    computed {}
    guarded {}
    one {
        /// Who invited them, or did so once more; null once they have lost access.
        invited_by: User = UserById by invited_by, MembersRead;
    }
    many {}
    needs {}

    /// What became of it.
    async fn status(&self, context: &Context<'_>) -> InvitationStatus {
        let now = Operation::of(context).clock().now();
        invitation::status(&self.0, now).into()
    }
}

impl From<invitation::Invitation> for Invitation {
    fn from(row: invitation::Invitation) -> Self {
        Self(Arc::new(row))
    }
}

impl From<invitation_file::Row> for InvitedRow {
    fn from(row: invitation_file::Row) -> Self {
        let (invitation, error) = match row.result {
            Ok(invitation) => (Some(invitation.into()), None),
            Err(problem) => (None, Some(UserError::at(&[], problem))),
        };
        Self {
            line: i32::try_from(row.line).unwrap_or(i32::MAX),
            email: row.email,
            invitation,
            error,
        }
    }
}

impl From<Settled<invitation::Invitation>> for InvitationPayload {
    fn from(settled: Settled<invitation::Invitation>) -> Self {
        Self {
            invitation: settled.value.map(Invitation::from),
            errors: settled.errors,
        }
    }
}

impl From<Settled<Vec<invitation_file::Row>>> for ImportInvitationsPayload {
    fn from(settled: Settled<Vec<invitation_file::Row>>) -> Self {
        let rows = settled.value.unwrap_or_default();
        Self {
            rows: rows.into_iter().map(InvitedRow::from).collect(),
            errors: settled.errors,
        }
    }
}

impl Relation for InvitationById {
    type Key = InvitationId;
    type Value = Invitation;

    async fn load(scope: Scope, keys: Vec<InvitationId>) -> Loaded<Self> {
        let rows = invitation::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}
