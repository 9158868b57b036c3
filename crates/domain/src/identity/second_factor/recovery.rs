//! Recovery codes: ten, each good once, for who lost what they have.
//!
//! A code is a digit, which says which of the ten it is, and eleven letters and digits by chance: 55 bits,
//! too few for a hash that is fast. The digit spares verifying ten hashes for each try.

use entity::identity::{
    recovery_code::{ActiveModel, Column, Entity, RecoveryCodeId},
    user,
};
use sea_orm::{ColumnTrait, QueryFilter, Set, sea_query::Expr};

use crate::{
    Code, Error, Result, Viewer,
    identity::{Passwords, password::Verdict},
    mail::{Kind, Mail},
    scope::Own,
};

/// How many there are.
const CODES: u8 = 10;
/// Letters and digits of one.
const LENGTH: usize = 12;
/// Those that nobody takes for another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a text that may be a code.
const LONGEST: usize = 64;

/// A text that can be a code: a position and letters.
pub struct Typed(i32, String);

/// Codes that are nobody's yet, with their hashes.
pub(super) struct NewCodes(Vec<(String, String)>);

impl Typed {
    /// What somebody typed, however they wrote it.
    ///
    /// # Errors
    /// A refusal when it can be no code.
    pub fn parse(text: &str) -> Result<Self> {
        let typed = parse(text).map(|(position, code)| Self(position, code));
        typed.ok_or_else(|| {
            Error::refused(
                Code::Invalid,
                "recoveryCode",
                "A recovery code is twelve letters and digits, like 0123-4567-89AB.",
            )
        })
    }
}

impl NewCodes {
    /// Makes ten, which takes ten times as long as a password.
    pub(super) async fn make(passwords: &Passwords) -> Result<Self> {
        let mut codes = Vec::new();
        for position in 0..CODES {
            let code = random(position)?;
            let hash = passwords.hash(code.clone()).await?;
            codes.push((code, hash));
        }
        Ok(Self(codes))
    }
}

/// How many the viewer has left.
pub async fn left(viewer: &Viewer) -> Result<usize> {
    unused(&viewer.begin(false).await?).await
}

/// How many the person has left.
pub(super) async fn unused(own: &Own) -> Result<usize> {
    let left = own.find::<Entity>().filter(Column::UsedAt.is_null());
    Ok(own.all(left).await?.len())
}

/// Makes these the person's, in place of those that they have, in a running change of a locked account.
/// Gives them as they are told.
pub(super) async fn replace(own: &Own, codes: NewCodes) -> Result<Vec<String>> {
    remove(own).await?;
    let now = own.clock().now();
    let mut told = Vec::new();
    for (position, (code, hash)) in (0..).zip(codes.0) {
        let row = ActiveModel {
            id: Set(RecoveryCodeId::random()),
            // Whose it is, the insert sets.
            user_id: Set(own.user()),
            position: Set(position),
            code_hash: Set(hash),
            created_at: Set(now),
            used_at: Set(None),
        };
        own.insert(row).await?;
        told.push(spell(&code));
    }
    Ok(told)
}

/// Takes them all away, in a running change of a locked account.
pub(super) async fn remove(own: &Own) -> Result<()> {
    own.delete(own.removal::<Entity>()).await?;
    Ok(())
}

/// Which of the person's codes this is, if it is one that is left. Takes as long for
/// one that is not.
pub(super) async fn candidate(
    own: Own,
    passwords: &Passwords,
    Typed(position, code): Typed,
) -> Result<Option<RecoveryCodeId>> {
    let select = own
        .find::<Entity>()
        .filter(Column::Position.eq(position))
        .filter(Column::UsedAt.is_null());
    let found = own.all(select).await?.pop();
    // Nobody waits for a hash in a transaction.
    drop(own);
    let stored = found.as_ref().map(|row| row.code_hash.clone());
    let verdict = passwords.verify(code, stored).await?;
    Ok(found
        .filter(|_| verdict != Verdict::Wrong)
        .map(|row| row.id))
}

/// Uses one up, in a running change of a locked account, which is told by mail. Says whether it was left.
pub(super) async fn spend(own: &Own, code: RecoveryCodeId, account: &user::Model) -> Result<bool> {
    let update = own
        .change::<Entity>()
        .col_expr(Column::UsedAt, Expr::value(own.clock().now()))
        .filter(Column::Id.eq(code.uuid()))
        .filter(Column::UsedAt.is_null());
    if own.update(update).await? != 1 {
        return Ok(false);
    }
    let left = unused(own).await?.to_string();
    let told = Mail::new(Kind::RecoveryCodeUsed, &*account.email);
    own.mail(told.about(own.user()).with("left", left)).await?;
    Ok(true)
}

fn random(position: u8) -> Result<String> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
    bytes[0] = position;
    let letter = |byte: u8| char::from(ALPHABET[usize::from(byte % 32)]);
    Ok(bytes.into_iter().map(letter).collect())
}

/// `01234567ABCD` as `0123-4567-ABCD`.
fn spell(code: &str) -> String {
    let mut spelled = String::new();
    for (index, letter) in code.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            spelled.push('-');
        }
        spelled.push(letter);
    }
    spelled
}

/// The position and the letters of what somebody typed, if it can be a code.
fn parse(text: &str) -> Option<(i32, String)> {
    if text.len() > LONGEST {
        return None;
    }
    let letters = text.chars().filter(|letter| !" -".contains(*letter));
    let code: String = letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        })
        .collect();
    let is_code = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
    let position = code.chars().next()?.to_digit(10)?;
    is_code.then_some((i32::try_from(position).ok()?, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        for position in 0..CODES {
            let code = random(position).expect("a code");
            let spelled = spell(&code);
            assert_eq!(spelled.len(), LENGTH + 2);
            let expected = Some((i32::from(position), code));
            assert_eq!(parse(&spelled), expected);
            assert_eq!(parse(&spelled.to_lowercase().replace('-', " ")), expected);
        }
        assert_eq!(parse("oiL1-2345-6789").expect("a code").1, "011123456789");
        for none in [
            "",
            "0",
            "A123-4567-89AB",
            "0123-4567-89AU",
            "0123-4567-89ABC",
            "é123-4567-89A",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
