//! The schema: the nouns' fields put together.

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions};

use crate::{
    attendance::{batch::BatchMutation, registration::RegistrationMutation, scan::ScanMutation},
    audit::entry::AuditQuery,
    events::{event::EventQuery, mutation::EventMutation},
    identity::{
        account::AccountMutation,
        linked_account::{LinkedAccountMutation, ProviderQuery},
        mail::MailMutation,
        password::PasswordMutation,
        second_factor::SecondFactorMutation,
        session::SessionMutation,
        viewer::ViewerQuery,
    },
    imports::{import::ImportQuery, mutation::ImportMutation, row::ImportRowQuery},
    live::change::{ChangeQuery, ChangeSubscription},
    node::NodeQuery,
    organizations::{
        acceptance::{AcceptanceMutation, AcceptanceQuery},
        api_key::{ApiKeyMutation, ApiKeyQuery},
        invitation::{InvitationMutation, InvitationQuery},
        member::{MemberMutation, MemberQuery},
        member_role::MemberRoleMutation,
        organization::{OrganizationMutation, OrganizationQuery},
        role::{RoleMutation, RoleQuery},
        second_factor::SecondFactorRequirementMutation,
        team::{TeamMutation, TeamQuery},
        team_member::TeamMemberMutation,
        team_role::TeamRoleMutation,
    },
    patrons::{mutation::PatronMutation, patron::PatronQuery},
};

/// What can be read. One query operation sees one moment: everything in its answer is consistent.
#[derive(Default, MergedObject)]
pub struct Query(
    NodeQuery,
    ViewerQuery,
    ProviderQuery,
    OrganizationQuery,
    MemberQuery,
    RoleQuery,
    TeamQuery,
    InvitationQuery,
    AcceptanceQuery,
    ApiKeyQuery,
    AuditQuery,
    EventQuery,
    PatronQuery,
    ChangeQuery,
    ImportQuery,
    ImportRowQuery,
);

/// What can be changed. Each field is done, or refused, as a whole; what the caller can mend is in
/// the payload's `errors`.
#[derive(Default, MergedObject)]
pub struct Mutation(
    SessionMutation,
    PasswordMutation,
    SecondFactorMutation,
    MailMutation,
    AccountMutation,
    LinkedAccountMutation,
    OrganizationMutation,
    SecondFactorRequirementMutation,
    MemberMutation,
    MemberRoleMutation,
    RoleMutation,
    TeamMutation,
    TeamMemberMutation,
    TeamRoleMutation,
    InvitationMutation,
    AcceptanceMutation,
    ApiKeyMutation,
    EventMutation,
    PatronMutation,
    RegistrationMutation,
    ScanMutation,
    BatchMutation,
    ImportMutation,
);

/// What can be followed, over a WebSocket or as server-sent events.
#[derive(Default, MergedSubscription)]
pub struct Subscription(ChangeSubscription);

/// Rollcall's schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema. Limits are not its business: see [`crate::guard`].
#[must_use]
pub fn schema() -> Schema {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
    .register_output_type::<crate::node::Node>()
    .disable_suggestions()
    .finish()
}

/// The schema as text, the same for the same schema: the file `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .prefer_single_line_descriptions()
        .include_specified_by()
        .use_space_ident();
    schema().sdl_with_options(options)
}
