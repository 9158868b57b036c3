//! Every commit says what it changed: each mutation of the schema, run once, adds the changes it is
//! known for to the organization's log, in one numbered run with one entry of the audit log.

use domain::ChangeKind as Kind;

use super::{
    catalog::literal,
    samples::variables,
    sdl::Schema,
    stage::{Stage, settled},
};
use crate::harness::{App, TestDatabase, on_each_database};

/// Mutations of an account: no organization's log is theirs.
const OF_AN_ACCOUNT: &[&str] = &[
    "signIn",
    "signOut",
    "confirmPassword",
    "changePassword",
    "revokeSession",
    "revokeOtherSessions",
    "verifyEmail",
    "requestEmailVerification",
    "requestPasswordReset",
    "resetPassword",
    "requestEmailChange",
    "confirmEmailChange",
    "updateProfile",
    "changeUsername",
    "deleteAccount",
    "beginProviderSignIn",
    "beginProviderLink",
    "completeProviderSignIn",
    "unlinkAccount",
    "activateOrganization",
    "beginTotp",
    "confirmTotp",
    "disableTotp",
    "regenerateRecoveryCodes",
    "completeSignIn",
    "confirmSecondFactor",
];
/// Mutations that found an organization, whose log begins with that.
const FOUNDING: &[&str] = &["signUp", "createOrganization"];
/// What each other mutation commits.
const KNOWN: &[(&str, &[Kind])] = &[
    (
        "acceptInvitation",
        &[Kind::InvitationAccepted, Kind::MemberAdded],
    ),
    ("addMember", &[Kind::MemberAdded]),
    ("adoptApiKey", &[Kind::ApiKeyAdopted]),
    ("createApiKey", &[Kind::ApiKeyCreated]),
    ("createDeviceKey", &[Kind::ApiKeyCreated]),
    ("revokeApiKey", &[Kind::ApiKeyRevoked]),
    ("rotateApiKey", &[Kind::ApiKeyRotated]),
    ("updateApiKey", &[Kind::ApiKeyUpdated]),
    ("addTeamMember", &[Kind::TeamMemberAdded]),
    ("cancelEvent", &[Kind::EventCancelled]),
    ("cancelRegistration", &[Kind::RegistrationCancelled]),
    ("changeMemberRole", &[Kind::MemberRoleChanged]),
    ("checkIn", &[Kind::CheckedIn]),
    ("checkOut", &[Kind::CheckedOut]),
    ("closeEvent", &[Kind::EventClosed]),
    ("commitImport", &[Kind::ImportCommitting]),
    ("createEvent", &[Kind::EventCreated]),
    ("createInvitation", &[Kind::InvitationCreated]),
    ("createPatron", &[Kind::PatronCreated]),
    ("createRole", &[Kind::RoleCreated]),
    ("createTeam", &[Kind::TeamCreated]),
    ("declineInvitation", &[Kind::InvitationDeclined]),
    ("deletePatron", &[Kind::PatronDeleted]),
    ("deleteRole", &[Kind::RoleDeleted]),
    ("deleteTeam", &[Kind::TeamDeleted]),
    ("grantMemberRole", &[Kind::MemberRoleGranted]),
    ("grantTeamRole", &[Kind::TeamRoleGranted]),
    ("importInvitations", &[Kind::InvitationCreated]),
    ("leaveOrganization", &[Kind::MemberLeft]),
    ("publishEvent", &[Kind::EventPublished]),
    ("recordScans", &[Kind::CheckedIn]),
    ("register", &[Kind::Registered]),
    ("removeMember", &[Kind::MemberRemoved]),
    ("removeTeamMember", &[Kind::TeamMemberRemoved]),
    (
        "requireSecondFactor",
        &[Kind::SecondFactorRequirementChanged],
    ),
    ("resendInvitation", &[Kind::InvitationResent]),
    ("revokeInvitation", &[Kind::InvitationRevoked]),
    ("revertCheckIn", &[Kind::CheckInReverted]),
    ("startImport", &[Kind::ImportStarted]),
    (
        "transferOwnership",
        &[
            Kind::OwnershipTransferred,
            Kind::MemberRoleChanged,
            Kind::MemberRoleChanged,
        ],
    ),
    ("updateEvent", &[Kind::EventUpdated]),
    ("updateMember", &[Kind::MemberUpdated]),
    ("updateOrganization", &[Kind::OrganizationUpdated]),
    ("updatePatron", &[Kind::PatronUpdated]),
    ("updateRole", &[Kind::RoleUpdated]),
    ("updateTeam", &[Kind::TeamUpdated]),
    ("withdrawMemberRole", &[Kind::MemberRoleWithdrawn]),
    ("withdrawTeamRole", &[Kind::TeamRoleWithdrawn]),
];

on_each_database!(every_mutation_says_what_it_changed);

async fn every_mutation_says_what_it_changed(app: App) {
    let schema = Schema::read();
    let stage = Stage::build(&app, "stage").await;
    let organization = literal(&app.database, stage.uuid());
    for (number, field) in schema.fields("Mutation").into_iter().enumerate() {
        let name = &field.name;
        let (caller, ids) = stage.prepare(&app, name).await;
        let (before, before_all) = (
            last(&app.database, &organization).await,
            total(&app.database).await,
        );
        let answer = caller
            .send(
                &schema.document("Mutation", &field, 1),
                variables(&schema, &field, &ids, number),
            )
            .await;
        // Nobody has the sample's account: what counts here is that nothing is written.
        if name != "signIn" {
            let refusals = answer.refusals(name);
            assert!(
                answer.codes().is_empty() && refusals.is_empty(),
                "{name}: {:#}",
                answer.body
            );
        }
        let added = total(&app.database).await - before_all;
        let known = KNOWN.iter().find(|(known, _)| known == name);
        if let Some((_, kinds)) = known {
            let (first, count) = committed(&app.database, &organization, before).await;
            assert_eq!(first, before + 1, "{name} leaves a gap");
            let written = kinds_of(&app.database, &organization, first, count).await;
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            assert_eq!(written, kinds, "{name}");
        } else if FOUNDING.contains(&name.as_str()) {
            assert_eq!(added, 1, "{name}");
            let founded = app
                .database
                .look(
                    "SELECT kind FROM changes WHERE sequence = 1 ORDER BY recorded_at DESC LIMIT 1",
                )
                .await;
            assert_eq!(founded, [Kind::OrganizationCreated.as_str()], "{name}");
        } else {
            assert!(
                OF_AN_ACCOUNT.contains(&name.as_str()),
                "{name} has no sample: say in KNOWN what it commits"
            );
            assert_eq!(added, 0, "{name}");
        }
        // A worker goes on with an import, and has to be through before the next is counted.
        match name.as_str() {
            "startImport" => {
                settled(
                    &stage.owner,
                    answer.body["data"][name]["import"]["id"]
                        .as_str()
                        .expect("an id"),
                    "PREVIEWED",
                )
                .await;
            }
            "commitImport" => settled(&stage.owner, &ids[&'I'], "COMMITTED").await,
            _ => {}
        }
    }
    assert!(total(&app.database).await > 30, "nothing was logged");
    assert_eq!(faults(&app.database).await, Vec::<&str>::new());
    // The control: a change that goes missing is noticed, and so is a commit that does.
    app.database
        .look("DELETE FROM changes WHERE sequence = 3")
        .await;
    app.database
        .look("DELETE FROM audit_logs WHERE sequence = 2")
        .await;
    assert_eq!(faults(&app.database).await.len(), 3);
    app.stop().await;
}

/// What is wrong with the logs: each organization's numbers are 1, 2, 3 and so on, and each is in
/// exactly one commit's entry.
async fn faults(database: &TestDatabase) -> Vec<&'static str> {
    let mut faults = Vec::new();
    for (fault, sql) in [
        (
            "numbers that are not 1 to the last",
            "SELECT count(*) FROM (
                 SELECT counter.organization_id FROM change_counters AS counter JOIN changes ON changes.organization_id = counter.organization_id
                 GROUP BY counter.organization_id, last_sequence
                 HAVING count(*) <> max(sequence) OR min(sequence) <> 1 OR max(sequence) <> last_sequence
             ) AS fault",
        ),
        (
            "changes that are not in one commit's entry of the audit log",
            "SELECT count(*) FROM changes WHERE 1 <> (
                 SELECT count(*) FROM audit_logs AS entry WHERE entry.organization_id = changes.organization_id
                 AND changes.sequence BETWEEN entry.sequence AND entry.sequence + entry.changes - 1)",
        ),
        (
            "entries that name another kind than their first change",
            "SELECT count(*) FROM audit_logs AS entry WHERE result = 'success' AND NOT EXISTS (
                 SELECT 1 FROM changes WHERE changes.organization_id = entry.organization_id
                 AND changes.sequence = entry.sequence AND changes.kind = entry.event_type)",
        ),
    ] {
        if database.number(sql).await != 0 {
            faults.push(fault);
        }
    }
    faults
}

/// The first number and the length of the commit that follows `sequence`.
async fn committed(database: &TestDatabase, organization: &str, sequence: i64) -> (i64, i64) {
    let entry = |column: &str| {
        format!(
            "SELECT {column} FROM audit_logs WHERE organization_id = {organization} AND sequence > {sequence} ORDER BY sequence LIMIT 1"
        )
    };
    (
        database.number(&entry("sequence")).await,
        database.number(&entry("changes")).await,
    )
}

async fn kinds_of(
    database: &TestDatabase,
    organization: &str,
    first: i64,
    count: i64,
) -> Vec<String> {
    let sql = format!(
        "SELECT kind FROM changes WHERE organization_id = {organization} AND sequence BETWEEN {first} AND {} ORDER BY sequence",
        first + count - 1
    );
    database.look(&sql).await
}

async fn last(database: &TestDatabase, organization: &str) -> i64 {
    database
        .number(&format!(
            "SELECT last_sequence FROM change_counters WHERE organization_id = {organization}"
        ))
        .await
}

async fn total(database: &TestDatabase) -> i64 {
    database.number("SELECT count(*) FROM changes").await
}
