//! An organization with one of everything, for the walls to run against.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    App, Client,
    authenticator::STEP,
    people::PASSWORD,
    provider::{code, parameter},
};

/// Global ids by their tag, the first letter of what they name; `@` is the address of an account
/// that belongs to no organization, `#` the slug of a role of the organization's own, `!` a token that was
/// mailed, or a sign-in's that waits, `%` the code of an authenticator app; `s`, `c` and `b` are state,
/// code and browser's secret of a sign-in at a provider.
pub type Ids = BTreeMap<char, String>;

/// An organization with one of everything.
pub struct Stage {
    pub owner: Client,
    /// What its words begin with.
    pub name: String,
    pub slug: String,
    pub ids: Ids,
}

impl Stage {
    /// Makes one, through the API.
    pub async fn build(app: &App, name: &str) -> Self {
        let owner = app.owner(name).await;
        app.member(&owner, "viewer").await;
        let found = owner
            .ok(
                "{ organization { id slug } members { nodes { id role user { id } } } }",
                json!({}),
            )
            .await;
        let members = found["members"]["nodes"].as_array().expect("members");
        let member = members
            .iter()
            .find(|member| member["role"] == "viewer")
            .expect("the viewer");
        let mut stage = Self {
            owner,
            name: name.to_owned(),
            slug: text(&found["organization"]["slug"]),
            ids: Ids::from([
                ('O', text(&found["organization"]["id"])),
                ('M', text(&member["id"])),
                ('U', text(&member["user"]["id"])),
            ]),
        };
        stage.set('E', stage.event(true).await);
        stage.set('P', stage.owner.patron(name).await);
        let (event, patron) = (stage.ids[&'E'].clone(), stage.ids[&'P'].clone());
        stage.owner.check_in(&event, &patron).await;
        let query = "query($id: ID!) { patron(id: $id) { attendances { nodes { id } } loyaltyEntries { nodes { id } } } }";
        let found = stage.owner.ok(query, json!({ "id": patron })).await;
        stage.set('A', text(&found["patron"]["attendances"]["nodes"][0]["id"]));
        stage.set(
            'L',
            text(&found["patron"]["loyaltyEntries"]["nodes"][0]["id"]),
        );
        let found = stage
            .owner
            .ok("{ auditLog(last: 1) { nodes { id } } }", json!({}))
            .await;
        stage.set('G', text(&found["auditLog"]["nodes"][0]["id"]));
        stage.set('S', stage.session().await.1);
        stage.set('Q', linked(app, &stage.owner).await);
        stage.set('I', stage.import().await);
        stage.set('@', stage.account(app).await);
        stage.set('#', stage.role().await);
        stage.set('T', stage.team().await);
        stage.set(
            'V',
            stage.invitation(&format!("{name}-guest@example.org")).await,
        );
        stage.set('K', stage.key().await);
        let place = json!({ "teamId": stage.ids[&'T'], "memberId": stage.ids[&'M'] });
        stage.owner.done("addTeamMember", "__typename", place).await;
        let role = json!({ "teamId": stage.ids[&'T'], "role": stage.ids[&'#'] });
        stage.owner.done("grantTeamRole", "__typename", role).await;
        let role = json!({ "memberId": stage.ids[&'M'], "role": "member" });
        stage
            .owner
            .done("grantMemberRole", "__typename", role)
            .await;
        let known = json!({ "memberId": stage.ids[&'M'], "externalId": name });
        stage.owner.done("updateMember", "__typename", known).await;
        stage
    }

    /// The organization's id in the database.
    pub fn uuid(&self) -> Uuid {
        uuid_of(&self.ids[&'O'])
    }

    /// Fresh things for a mutation to succeed with, and who is to call it.
    pub async fn prepare(&self, app: &App, mutation: &str) -> (Client, Ids) {
        let (mut caller, mut ids) = (self.owner.clone(), self.ids.clone());
        let mut set = |tag, id| ids.insert(tag, id);
        match mutation {
            "publishEvent" => drop(set('E', self.event(false).await)),
            "updateEvent" | "cancelEvent" | "closeEvent" => drop(set('E', self.event(true).await)),
            "updatePatron" | "deletePatron" | "register" | "checkIn" | "recordScans" => {
                set('P', self.owner.patron("fresh").await);
            }
            "cancelRegistration" | "checkOut" | "revertCheckIn" => {
                let patron = self.owner.patron("fresh").await;
                if mutation == "cancelRegistration" {
                    let input = json!({ "eventId": self.ids[&'E'], "patronId": patron });
                    let register = "mutation($input: RegisterInput!) { register(input: $input) { errors { message } } }";
                    self.owner.ok(register, json!({ "input": input })).await;
                } else {
                    self.owner.check_in(&self.ids[&'E'], &patron).await;
                }
                set('P', patron);
            }
            "changeMemberRole" | "removeMember" | "transferOwnership" | "grantMemberRole"
            | "withdrawMemberRole" | "addTeamMember" | "removeTeamMember" => {
                let member = self.member(&self.account(app).await).await;
                let (team, role) = (&self.ids[&'T'], "viewer");
                if mutation == "withdrawMemberRole" {
                    let input = json!({ "memberId": member, "role": role });
                    self.owner
                        .done("grantMemberRole", "__typename", input)
                        .await;
                }
                if mutation == "removeTeamMember" {
                    let input = json!({ "memberId": member, "teamId": team });
                    self.owner.done("addTeamMember", "__typename", input).await;
                }
                set('M', member);
            }
            "leaveOrganization" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
                let address = address(&caller).await;
                app.prove(&address).await;
                self.member(&address).await;
            }
            "resendInvitation" | "revokeInvitation" | "declineInvitation" | "acceptInvitation" => {
                let invited = app.sign_up(&self.name.replace('-', "_")).await;
                let invitation = self.invitation(&address(&invited).await).await;
                if mutation == "acceptInvitation" || mutation == "declineInvitation" {
                    caller = invited;
                    set('!', app.database.invitation_token(&invitation).await);
                }
                set('V', invitation);
            }
            "updateApiKey" | "rotateApiKey" | "adoptApiKey" | "revokeApiKey" => {
                set('K', self.key().await);
            }
            "updateRole" | "deleteRole" => drop(set('#', self.role().await)),
            "updateTeam" | "deleteTeam" | "grantTeamRole" | "withdrawTeamRole" => {
                let team = self.team().await;
                if mutation == "withdrawTeamRole" {
                    let input = json!({ "teamId": team, "role": "viewer" });
                    self.owner.done("grantTeamRole", "__typename", input).await;
                }
                set('T', team);
            }
            "addMember" => drop(set('@', self.account(app).await)),
            "commitImport" => drop(set('I', self.import().await)),
            "revokeSession" => drop(set('S', self.session().await.1)),
            // What ends other sessions, or the account, gets an account of its own, what changes the
            // session in use one of the owner's.
            "changePassword"
            | "revokeOtherSessions"
            | "updateProfile"
            | "changeUsername"
            | "deleteAccount" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
            }
            // What is mailed goes to an account of its own, too; a mail a minute.
            "requestEmailVerification" | "requestEmailChange" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
                app.database.look("DELETE FROM account_tokens").await;
            }
            "verifyEmail" | "resetPassword" | "confirmEmailChange" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
                let own = address(&caller).await;
                let (purpose, address) = match mutation {
                    "verifyEmail" => ("verify_email", own.clone()),
                    "resetPassword" => ("reset_password", own.clone()),
                    _ => ("change_email", format!("new-{own}")),
                };
                set('!', app.database.token(purpose, &own, &address).await);
            }
            // The owner's account stays without one.
            "requireSecondFactor" => {
                let admin = app.member(&self.owner, "admin").await;
                caller = admin.with_app(app.clock.now()).await.0;
            }
            "beginTotp" | "confirmTotp" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
                if mutation == "confirmTotp" {
                    let begun = caller.begin_totp().await;
                    set('%', begun.code(app.clock.now()));
                }
            }
            "disableTotp"
            | "regenerateRecoveryCodes"
            | "confirmSecondFactor"
            | "completeSignIn" => {
                let account = app.sign_up(&self.name.replace('-', "_")).await;
                let (account, authenticator, _) = account.with_app(app.clock.now()).await;
                set('%', authenticator.code(app.clock.now() + STEP));
                if mutation == "completeSignIn" {
                    let input = json!({ "login": address(&account).await, "password": PASSWORD });
                    let waiting = account.done("signIn", "challenge { token }", input).await;
                    set('!', text(&waiting["challenge"]["token"]));
                }
                caller = account;
            }
            "beginProviderLink" | "unlinkAccount" => {
                caller = app.sign_up(&self.name.replace('-', "_")).await;
                let prove = "UPDATE users SET email_verified_at = '2000-01-01T00:00:00+00:00'";
                app.database.look(prove).await;
                if mutation == "unlinkAccount" {
                    set('Q', linked(app, &caller).await);
                }
            }
            "completeProviderSignIn" => {
                caller = app.anonymous();
                let input = json!({ "provider": "sample" });
                let selection = "authorizationUrl browserSecret";
                let begun = caller.done("beginProviderSignIn", selection, input).await;
                let url = text(&begun["authorizationUrl"]);
                let given = |name| parameter(&url, name).expect(name);
                set('s', given("state"));
                set(
                    'c',
                    code("truth", &given("nonce"), &format!("sample-{}", next())),
                );
                set('b', text(&begun["browserSecret"]));
            }
            "signOut" | "confirmPassword" | "createOrganization" | "activateOrganization" => {
                caller = self.session().await.0;
            }
            _ => {}
        }
        (caller, ids)
    }

    fn set(&mut self, tag: char, id: String) {
        self.ids.insert(tag, id);
    }

    async fn event(&self, publish: bool) -> String {
        let name = &self.name;
        let more = json!({
            "publish": publish, "attendancePoints": 10, "capacity": 100, "hostId": self.ids[&'M'],
            "description": format!("{name} evening"), "location": format!("{name} hall"),
        });
        self.owner.event(name, more).await
    }

    /// A new session of the owner's: a client, and the session's id.
    async fn session(&self) -> (Client, String) {
        let me = self
            .owner
            .ok("{ viewer { user { email } } }", json!({}))
            .await;
        let input = json!({ "login": me["viewer"]["user"]["email"], "password": PASSWORD });
        let anonymous = Client::new(&self.owner.url);
        let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { token viewer { sessions { id current } } errors { message } } }";
        let answer = anonymous.ok(sign_in, json!({ "input": input })).await["signIn"].take();
        let sessions = answer["viewer"]["sessions"].as_array().expect("sessions");
        let session = sessions
            .iter()
            .find(|session| session["current"] == true)
            .expect("this one");
        (
            anonymous.with_token(&text(&answer["token"])),
            text(&session["id"]),
        )
    }

    /// A new import, its dry run done.
    async fn import(&self) -> String {
        let number = next();
        let name = &self.name;
        let file = format!("First name,{name} column\n{name} {number},{name} cell\n");
        let input = json!({ "fileName": format!("{name}.csv"), "content": STANDARD.encode(file), "eventId": self.ids[&'E'] });
        let start = "mutation($input: StartImportInput!) { startImport(input: $input) { import { id } errors { message } } }";
        let started = self.owner.ok(start, json!({ "input": input })).await;
        let id = text(&started["startImport"]["import"]["id"]);
        settled(&self.owner, &id, "PREVIEWED").await;
        id
    }

    /// The address of a new account.
    async fn account(&self, app: &App) -> String {
        let address = address(&app.sign_up(&self.name.replace('-', "_")).await).await;
        app.prove(&address).await;
        address
    }

    /// Gives the account with this address access.
    async fn member(&self, address: &str) -> String {
        let input = json!({ "email": address, "role": "member" });
        let added = self.owner.done("addMember", "member { id }", input).await;
        text(&added["member"]["id"])
    }

    /// An open invitation of this address.
    async fn invitation(&self, address: &str) -> String {
        let input = json!({ "email": address, "role": "viewer" });
        let made = self
            .owner
            .done("createInvitation", "invitation { id }", input)
            .await;
        text(&made["invitation"]["id"])
    }

    /// The slug of a new role.
    async fn role(&self) -> String {
        let input = json!({ "name": format!("{} role {}", self.name, next()), "permissions": ["patrons:read"] });
        let made = self.owner.done("createRole", "role { slug }", input).await;
        text(&made["role"]["slug"])
    }

    /// A new API key.
    async fn key(&self) -> String {
        self.owner.machine(&["events:read"]).await.1
    }

    /// A new team.
    async fn team(&self) -> String {
        let input = json!({ "name": format!("{} team {}", self.name, next()) });
        let made = self.owner.done("createTeam", "team { id }", input).await;
        text(&made["team"]["id"])
    }
}

/// The id of a new link of a person's.
async fn linked(app: &App, person: &Client) -> String {
    let subject = format!("linked-{}", next());
    let email = address(person).await;
    app.database.linked_account(&email, &subject).await
}

/// The address of a person's account.
async fn address(person: &Client) -> String {
    let me = person.ok("{ viewer { user { email } } }", json!({})).await;
    text(&me["viewer"]["user"]["email"])
}

/// Waits until a worker has brought an import to this state.
pub async fn settled(client: &Client, import: &str, state: &str) {
    let query = "query($id: ID!) { import(id: $id) { status failure } }";
    // A worker is woken by the commit itself, so that this asks once or twice.
    for _ in 0..1000 {
        let found = client.ok(query, json!({ "id": import })).await;
        if found["import"]["status"] == state {
            return;
        }
        assert_eq!(found["import"]["failure"], Value::Null);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the import did not become {state}");
}

/// The UUID inside a global id.
pub fn uuid_of(id: &str) -> Uuid {
    let bytes = URL_SAFE_NO_PAD.decode(id).expect("a global id");
    Uuid::from_slice(&bytes[1..]).expect("a UUID")
}

/// A global id that names nothing.
pub fn nothing(tag: char) -> String {
    let tag = u8::try_from(tag).expect("a letter");
    URL_SAFE_NO_PAD.encode([&[tag], Uuid::new_v4().as_bytes().as_slice()].concat())
}

fn next() -> usize {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
