//! Second factors: what a person has, besides the password that they know.
//!
//! A kind of factor is a module of its own, a line in [`held`], and a way to be given in [`Proof`]. What
//! comes before and after is the same for all: wrong ones are counted together ([`counter`]), and one
//! that is taken marks the session. Recovery codes stand in for any of them.

pub mod challenge;
mod confirm;
mod counter;
pub mod recovery;
pub mod totp;

use chrono::{DateTime, Utc};
use entity::identity::{
    recovery_code::RecoveryCodeId, second_factor_counter, session, sign_in_challenge, totp_factor,
    user,
};
use sea_orm::sea_query::Expr;

pub use confirm::confirm;

use super::Passwords;
use crate::{
    Code, Error, Result, Viewer, identity,
    mail::{Kind, Mail},
    scope::{Fresh, Own},
    secret::Token,
};

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator app, whose codes are good for half a minute.
    Totp,
}

/// A second factor of somebody's.
#[derive(Clone, Debug)]
pub struct Factor {
    /// What it is.
    pub kind: FactorKind,
    /// Since when it is one.
    pub confirmed_at: DateTime<Utc>,
}

/// A second factor that was given, in a form in which it could be right: what could not is no guess, and
/// is not counted.
pub enum Proof {
    /// What an authenticator app shows.
    Code(totp::Digits),
    /// One of the ten codes for who lost what they have.
    RecoveryCode(recovery::Typed),
}

/// A [`Proof`] of which all is found out that takes long. What is left is to spend it, in a change that
/// has locked the account.
enum Given {
    Code(totp::Digits),
    /// None where it is no code of theirs.
    RecoveryCode(Option<RecoveryCodeId>),
}

/// The viewer's second factors.
pub async fn list(viewer: &Viewer) -> Result<Vec<Factor>> {
    held(&viewer.begin(false).await?).await
}

/// The person's second factors.
pub(super) async fn held(own: &Own) -> Result<Vec<Factor>> {
    let totp = totp::held(own).await?;
    Ok(totp.into_iter().collect())
}

/// The person's account and second factors, for a change of these, which locks the account.
///
/// # Errors
/// A refusal in a session without a second factor, where the account has any: a password alone changes
/// none.
async fn begin_change(own: &Own, viewer: &Viewer) -> Result<(user::Model, Vec<Factor>)> {
    let account = identity::session::lock(own, viewer).await?;
    let held = held(own).await?;
    if !held.is_empty() {
        viewer.require_second_factor()?;
    }
    Ok((account, held))
}

/// What follows when a factor was taken away, in a change of a locked account that ends with this: after
/// the last, no session has given one, and codes and sign-ins that wait for one are worth nothing. Gives
/// the session another token.
async fn finish_removal(
    own: Own,
    viewer: &Viewer,
    account: &user::Model,
) -> Result<(Token, Viewer)> {
    let mut after = viewer.clone();
    if held(&own).await?.is_empty() {
        recovery::remove(&own).await?;
        end_challenges(&own).await?;
        let marks = own.change::<session::Entity>().col_expr(
            session::Column::SecondFactorAt,
            Expr::value(None::<DateTime<Utc>>),
        );
        own.update(marks).await?;
        after.second_factor_at = None;
    }
    let told = Mail::new(Kind::SecondFactorRemoved, &*account.email);
    own.mail(told.about(viewer.user())).await?;
    let sessions = own.all(own.find::<session::Entity>()).await?;
    let renewed = identity::session::renew(&own, after).await?;
    own.commit().await?;
    // Their streams find out whether they may go on.
    for session in sessions {
        viewer.db.end_session(session.id);
    }
    Ok(renewed)
}

/// Ends the sign-ins that wait for a second factor, in a running change of a locked account.
pub(super) async fn end_challenges(own: &Own) -> Result<()> {
    own.delete(own.removal::<sign_in_challenge::Entity>())
        .await?;
    Ok(())
}

/// Removes all there is of an account's, which is about to be forgotten.
pub(crate) async fn forget(own: &Own) -> Result<()> {
    end_challenges(own).await?;
    recovery::remove(own).await?;
    own.delete(own.removal::<totp_factor::Entity>()).await?;
    own.delete(own.removal::<second_factor_counter::Entity>())
        .await?;
    Ok(())
}

/// Gives other recovery codes in place of those that there are.
///
/// # Errors
/// A refusal without a second factor, or in a session without one.
pub async fn regenerate_recovery_codes(
    fresh: &Fresh,
    passwords: &Passwords,
) -> Result<Vec<String>> {
    let viewer = fresh.viewer();
    // Nobody has ten hashes made for nothing.
    require_any(&list(viewer).await?)?;
    viewer.require_second_factor()?;
    let codes = recovery::NewCodes::make(passwords).await?;
    let own = viewer.begin(true).await?;
    let (account, held) = begin_change(&own, viewer).await?;
    require_any(&held)?;
    let told = recovery::replace(&own, codes).await?;
    let mail = Mail::new(Kind::RecoveryCodesReplaced, account.email);
    own.mail(mail.about(viewer.user())).await?;
    own.commit().await?;
    Ok(told)
}

/// Refuses what nobody without a second factor needs.
fn require_any(held: &[Factor]) -> Result<()> {
    if held.is_empty() {
        return Err(Error::refused(
            Code::WrongState,
            "",
            "You have no second factor: add one first, with beginTotp.",
        ));
    }
    Ok(())
}

impl Proof {
    /// What was typed as `code` or as `recoveryCode`: one of the two.
    ///
    /// # Errors
    /// A refusal when it is none, or both, or can be no such code.
    pub fn typed(code: Option<&str>, recovery_code: Option<&str>) -> Result<Self> {
        match (code, recovery_code) {
            (Some(code), None) => Ok(Self::Code(totp::Digits::parse(code)?)),
            (None, Some(code)) => Ok(Self::RecoveryCode(recovery::Typed::parse(code)?)),
            _ => Err(Error::refused(
                Code::Required,
                "code",
                "Give either the code that the authenticator app shows, or a recoveryCode.",
            )),
        }
    }

    /// Finds out what takes long, outside of any transaction.
    async fn prepare(self, own: Own, passwords: &Passwords) -> Result<Given> {
        counter::check(&own).await?;
        match self {
            Self::Code(code) => Ok(Given::Code(code)),
            Self::RecoveryCode(code) => {
                let found = recovery::candidate(own, passwords, code).await?;
                Ok(Given::RecoveryCode(found))
            }
        }
    }
}

impl Given {
    /// Spends it in a running change of a locked account. One that is wrong is counted, and the change
    /// is over.
    ///
    /// # Errors
    /// A refusal when it is wrong, or was spent. [`Error::Limited`] after too many that were.
    async fn take(self, own: Own, account: &user::Model) -> Result<Own> {
        counter::check(&own).await?;
        let (field, is_right) = match &self {
            Self::Code(code) => ("code", totp::spend(&own, *code).await?),
            Self::RecoveryCode(None) => ("recoveryCode", false),
            Self::RecoveryCode(Some(code)) => {
                ("recoveryCode", recovery::spend(&own, *code, account).await?)
            }
        };
        if is_right {
            return Ok(own);
        }
        counter::count(&own).await?;
        own.commit().await?;
        Err(Error::refused(
            Code::BadCredentials,
            field,
            "This is wrong, or was used before. Give the code that is shown now, or a recovery code that is left.",
        ))
    }
}
