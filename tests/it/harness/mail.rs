//! Mails as they come: at an SMTP server of a test's own, and in an instance's outbox.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use uuid::Uuid;

use super::{App, Backend, TestDatabase, node, services::free_port};
use crate::walls::{catalog, stage::uuid_of};

/// What has a mail kept in memory.
pub const OUTBOX: (&str, &str) = ("ROLLCALL_SMTP_URL", "outbox:");
/// Who sends.
pub const FROM: (&str, &str) = ("ROLLCALL_MAIL_FROM", "Rollcall <rollcall@example.org>");
/// A mail that does not come for so long does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An SMTP server, ended with this value.
pub struct MailServer {
    child: Option<Child>,
    port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// One that is still to be started, on a port of its own.
    pub fn away() -> Self {
        Self {
            child: None,
            port: free_port(),
            mails: Arc::default(),
        }
    }

    /// Starts it and waits until it listens; false, said once, where there is no Node.
    pub async fn up(&mut self) -> bool {
        let Some(directory) = node::installed("node") else {
            return false;
        };
        let mut child = Command::new("node")
            .args(["smtp.mjs", &self.port.to_string()])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mails = self.mails.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mail = serde_json::from_str(&line).expect("JSON");
                mails.lock().expect("no panic").push(mail);
            }
        });
        self.child = Some(child);
        let address = ("127.0.0.1", self.port);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Its `ROLLCALL_SMTP_URL`.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What came so far, once it is so many mails at least.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        let come = async {
            loop {
                let mails = self.mails.lock().expect("no panic").clone();
                if mails.len() >= count {
                    return mails;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let come = tokio::time::timeout(PATIENCE, come);
        come.await.expect("the mails come")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl App {
    /// The mails in its outbox, newest first.
    pub async fn outbox(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/outbox.json", self.url)).await;
        answer
            .expect("an answer")
            .json()
            .await
            .expect("a list of mails")
    }

    /// The newest mail of a kind to an address, once there are so many.
    pub async fn mail(&self, kind: &str, recipient: &str, count: usize) -> Value {
        let come = async {
            loop {
                let mut mails = self.outbox().await;
                mails.retain(|mail| mail["kind"] == kind && mail["recipient"] == recipient);
                assert!(mails.len() <= count, "{mails:#?}");
                if mails.len() == count {
                    return mails.swap_remove(0);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let come = tokio::time::timeout(PATIENCE, come);
        come.await
            .unwrap_or_else(|_| panic!("no {kind} to {recipient}"))
    }

    /// Waits until no mail waits to be sent.
    pub async fn mailed(&self) {
        let waiting = "SELECT count(*) FROM mails WHERE sent_at IS NULL";
        while self.database.number(waiting).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl TestDatabase {
    /// A token for the invitation with this global id, as if it had been mailed.
    pub async fn invitation_token(&self, invitation: &str) -> String {
        let (token, hash) = self.minted();
        let id = catalog::literal(self, uuid_of(invitation));
        for sql in [
            format!("DELETE FROM invitation_tokens WHERE invitation_id = {id}"),
            format!(
                "INSERT INTO invitation_tokens (invitation_id, organization_id, token_hash, created_at)
                 SELECT id, organization_id, {hash}, '2000-01-01T00:00:00+00:00' FROM invitations WHERE id = {id}"
            ),
        ] {
            self.look(&sql).await;
        }
        token
    }

    /// A token for the account of `email`, as if it had been mailed to `address` long ago.
    pub async fn token(&self, purpose: &str, email: &str, address: &str) -> String {
        let (token, hash) = self.minted();
        let id = catalog::literal(self, Uuid::new_v4());
        let user = format!("(SELECT id FROM users WHERE email = '{email}')");
        for sql in [
            format!("DELETE FROM account_tokens WHERE user_id = {user} AND purpose = '{purpose}'"),
            format!(
                "INSERT INTO account_tokens (id, user_id, purpose, address, token_hash, created_at, expires_at)
                 VALUES ({id}, {user}, '{purpose}', '{address}', {hash}, '2000-01-01T00:00:00+00:00', '2999-01-01T00:00:00+00:00')"
            ),
        ] {
            self.look(&sql).await;
        }
        token
    }

    /// A new token, and its hash as a literal.
    fn minted(&self) -> (String, String) {
        let token = domain::secret::Token::random().expect("a token");
        let hash = token.hash();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = match self.backend() {
            Backend::Sqlite => format!("x'{hash}'"),
            Backend::Postgres => format!("'\\x{hash}'"),
        };
        (token.reveal(), hash)
    }
}
