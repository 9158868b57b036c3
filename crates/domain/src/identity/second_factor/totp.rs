//! Authenticator apps: a code of six digits for each half minute (RFC 6238, HMAC-SHA-1), made of 160 bits
//! that the app shares with us. A code of the step before or after is taken too, as clocks go; none is
//! taken twice.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::totp_factor::{ActiveModel, Column, Entity, Model, TotpFactorId};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ColumnTrait, QueryFilter, Set, sea_query::Expr};
use sha1::Sha1;

use super::{Factor, FactorKind, begin_change, finish_removal, recovery};
use crate::{
    Code, Error, Result, Viewer,
    identity::{Passwords, session, user},
    mail::{Kind, Mail},
    scope::{Fresh, Own},
    secret::{Token, sealing::Place},
};

/// Bytes of a secret.
const SECRET: usize = 20;
/// Seconds of a step.
const STEP: i64 = 30;
/// Codes there are.
const CODES: u32 = 1_000_000;
/// An app that was not confirmed within this is begun anew.
const PATIENCE: TimeDelta = TimeDelta::hours(1);
/// What an app's entry says it is for.
const ISSUER: &str = "Rollcall";

/// The six digits of a code.
#[derive(Clone, Copy)]
pub struct Digits(u32);

/// What an app is told, once.
pub struct Enrolment {
    /// The secret in base 32, for who types it in.
    pub secret: String,
    /// The same as a URI, for a picture that the app reads.
    pub uri: String,
}

/// What has become of a confirmed app: the session's new token, who holds it, and recovery codes if they
/// had none.
pub struct Confirmed {
    /// The session under another token.
    pub session: (Token, Viewer),
    /// Told once.
    pub recovery_codes: Option<Vec<String>>,
}

impl Digits {
    /// What somebody typed, with or without blanks.
    ///
    /// # Errors
    /// A refusal when it is not six digits.
    pub fn parse(text: &str) -> Result<Self> {
        let letters = text.chars().filter(|letter| *letter != ' ');
        let digits: String = letters.take(7).collect();
        let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let code = digits.parse().ok().filter(|_| is_code);
        code.map(Self).ok_or_else(|| {
            Error::refused(
                Code::Invalid,
                "code",
                "The code that an app shows is six digits.",
            )
        })
    }
}

/// Begins to add an app: it becomes a factor once it is confirmed. One that was begun before is forgotten.
///
/// # Errors
/// A refusal when there is one, in a session without a second factor where the account has any, and where
/// no key to encrypt secrets with is configured.
pub async fn begin(fresh: &Fresh) -> Result<Enrolment> {
    let viewer = fresh.viewer();
    let mut secret = [0; SECRET];
    getrandom::fill(&mut secret)
        .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
    let username = user::own(viewer).await?.username;
    let own = viewer.begin(true).await?;
    begin_change(&own, viewer).await?;
    if held(&own).await?.is_some() {
        return Err(Error::refused(
            Code::WrongState,
            "",
            "You have an authenticator app already: take it away first, with disableTotp.",
        ));
    }
    own.delete(own.removal::<Entity>()).await?;
    let id = TotpFactorId::random();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(viewer.user()),
        secret: Set(viewer.sealing().seal(place(id), &secret)?),
        last_step: Set(0),
        created_at: Set(viewer.clock().now()),
        confirmed_at: Set(None),
    };
    own.insert(row).await?;
    own.commit().await?;
    let secret = base32(&secret);
    Ok(Enrolment {
        // No name of ours needs to be encoded.
        uri: format!(
            "otpauth://totp/{ISSUER}:{username}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP}"
        ),
        secret,
    })
}

/// Makes the app that was begun a second factor, for who has the code that it shows, and gives ten
/// recovery codes if they have none. The session counts as one with a second factor, under a new token.
///
/// # Errors
/// A refusal when none was begun, or the code is wrong.
pub async fn confirm(fresh: &Fresh, passwords: &Passwords, code: &str) -> Result<Confirmed> {
    let viewer = fresh.viewer();
    let code = Digits::parse(code)?;
    let own = viewer.begin(false).await?;
    begun(&own, code).await?;
    let needs_codes = recovery::unused(&own).await? == 0;
    drop(own);
    let codes = if needs_codes {
        Some(recovery::NewCodes::make(passwords).await?)
    } else {
        None
    };
    let own = viewer.begin(true).await?;
    let (account, _) = begin_change(&own, viewer).await?;
    let (factor, step) = begun(&own, code).await?;
    let now = viewer.clock().now();
    let update = own
        .change::<Entity>()
        .col_expr(Column::ConfirmedAt, Expr::value(now))
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::Id.eq(factor.id.uuid()));
    own.update(update).await?;
    let recovery_codes = match codes {
        Some(codes) => Some(recovery::replace(&own, codes).await?),
        None => None,
    };
    let marked = Viewer {
        second_factor_at: Some(now),
        ..viewer.clone()
    };
    let renewed = session::renew(&own, marked).await?;
    let told = Mail::new(Kind::SecondFactorAdded, account.email);
    own.mail(told.about(viewer.user())).await?;
    own.commit().await?;
    viewer.db.end_session(viewer.session());
    Ok(Confirmed {
        session: renewed,
        recovery_codes,
    })
}

/// Takes the app away. With the last second factor go the recovery codes.
///
/// # Errors
/// A refusal when there is none, and in a session without a second factor.
pub async fn disable(fresh: &Fresh) -> Result<(Token, Viewer)> {
    let viewer = fresh.viewer();
    let own = viewer.begin(true).await?;
    let (account, _) = begin_change(&own, viewer).await?;
    if held(&own).await?.is_none() {
        return Err(Error::refused(
            Code::WrongState,
            "",
            "You have no authenticator app.",
        ));
    }
    own.delete(own.removal::<Entity>()).await?;
    finish_removal(own, viewer, &account).await
}

/// The person's app, if they have one.
pub(super) async fn held(own: &Own) -> Result<Option<Factor>> {
    Ok(find(own).await?.and_then(|row| {
        Some(Factor {
            kind: FactorKind::Totp,
            confirmed_at: row.confirmed_at?,
        })
    }))
}

/// Takes a code, in a running change of a locked account. Says whether it is one, and later than the last.
pub(super) async fn spend(own: &Own, code: Digits) -> Result<bool> {
    let Some(factor) = find(own).await?.filter(|row| row.confirmed_at.is_some()) else {
        return Ok(false);
    };
    let opened = own.sealing().open(place(factor.id), &factor.secret)?;
    let Some(step) = step_of(&opened.secret, code, own.clock().now(), factor.last_step) else {
        return Ok(false);
    };
    let mut update = own
        .change::<Entity>()
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::Id.eq(factor.id.uuid()))
        .filter(Column::LastStep.lt(step));
    if opened.outdated {
        let sealed = own.sealing().seal(place(factor.id), &opened.secret)?;
        update = update.col_expr(Column::Secret, Expr::value(sealed));
    }
    Ok(own.update(update).await? == 1)
}

/// The app that was begun, and the step of its code.
async fn begun(own: &Own, code: Digits) -> Result<(Model, i64)> {
    let now = own.clock().now();
    let begun = find(own)
        .await?
        .filter(|row| row.confirmed_at.is_none() && now - row.created_at < PATIENCE);
    let factor = begun.ok_or_else(|| {
        Error::refused(
            Code::WrongState,
            "",
            "No authenticator app was begun within the last hour: begin with beginTotp.",
        )
    })?;
    let opened = own.sealing().open(place(factor.id), &factor.secret)?;
    let step = step_of(&opened.secret, code, now, factor.last_step).ok_or_else(|| {
        Error::refused(
            Code::BadCredentials,
            "code",
            "This is not the code that the app shows now. Is its clock right?",
        )
    })?;
    Ok((factor, step))
}

async fn find(own: &Own) -> Result<Option<Model>> {
    Ok(own.all(own.find::<Entity>()).await?.pop())
}

fn place(id: TotpFactorId) -> Place {
    Place::of::<Entity>(Column::Secret, id)
}

/// The first step after `last` at which this is the code, among the present one and those beside it.
fn step_of(secret: &[u8], code: Digits, now: DateTime<Utc>, last: i64) -> Option<i64> {
    let present = now.timestamp().div_euclid(STEP);
    (present - 1..=present + 1).find(|step| *step > last && code_at(secret, *step) == Some(code.0))
}

/// The code of a step (RFC 4226, 5.3).
fn code_at(secret: &[u8], step: i64) -> Option<u32> {
    let mut hmac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    hmac.update(&u64::try_from(step).ok()?.to_be_bytes());
    let digest = hmac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 15);
    let bytes = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(bytes) & 0x7fff_ffff) % CODES)
}

/// RFC 4648, 6, without padding: of 20 bytes there is none.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut value, mut bits) = (0_u32, 0);
    for byte in bytes {
        value = (value << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(value >> bits) as usize & 31]));
        }
        value &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(value << (5 - bits)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 6238, appendix B, whose codes of eight digits end with those of six.
    const VECTORS: [(i64, u32); 6] = [
        (59, 287_082),
        (1_111_111_109, 81_804),
        (1_111_111_111, 50_471),
        (1_234_567_890, 5_924),
        (2_000_000_000, 279_037),
        (20_000_000_000, 353_130),
    ];
    const SHARED: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        for (second, code) in VECTORS {
            assert_eq!(code_at(SHARED, second / STEP), Some(code), "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_a_step_before_and_after_and_once() {
        let at = |second| DateTime::from_timestamp(second, 0).expect("a time");
        let (second, code) = VECTORS[1];
        let step = second / STEP;
        for (now, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let found = step_of(SHARED, Digits(code), at(second + now * STEP), 0);
            assert_eq!(found, taken.then_some(step), "{now}");
        }
        assert_eq!(step_of(SHARED, Digits(code), at(second), step), None);
        let typed = Digits::parse("081 804").expect("six digits");
        assert_eq!(step_of(SHARED, typed, at(second), step - 1), Some(step));
        for none in ["", "81804", "0818040", "+81804", "08180४", "081804x"] {
            assert!(Digits::parse(none).is_err(), "{none}");
        }
    }

    #[test]
    fn base_32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
