//! Keyset paging: the rows after, or before, a place in an order.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, Utc};
use sea_orm::{
    ColumnType, Value,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Code, Error, Result};

/// Rows of a page when the caller names no number.
pub const DEFAULT_SIZE: u64 = 20;
/// Most rows of a page.
pub const MAXIMUM_SIZE: u64 = 100;

/// Characters of a cursor at most: its key may be a long name, in any script.
const LONGEST: usize = 4096;

/// Which rows the caller wants, as the Relay specification's four arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many, from the front.
    pub first: Option<i32>,
    /// Those after this cursor.
    pub after: Option<String>,
    /// How many, from the back.
    pub last: Option<i32>,
    /// Those before this cursor.
    pub before: Option<String>,
}

/// A page of rows, in the list's order whichever way it was walked.
#[derive(Clone, Debug)]
pub struct Page<Row> {
    /// The rows, each with its cursor.
    pub rows: Vec<(String, Row)>,
    /// Whether rows come before the first.
    pub has_previous: bool,
    /// Whether rows come after the last.
    pub has_next: bool,
}

/// The part of an order's key that decides first; the id decides among equals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Key {
    /// An instant, in microseconds since 1970: which is how exactly times are kept.
    #[serde(rename = "t", with = "chrono::serde::ts_microseconds")]
    Time(DateTime<Utc>),
    /// A text, compared by code point.
    #[serde(rename = "s")]
    Text(String),
    /// A number.
    #[serde(rename = "n")]
    Number(i64),
}

impl Key {
    /// Whether a column of this type can be compared with it.
    fn fits(&self, column: &ColumnType) -> bool {
        match self {
            // PostgreSQL has no time before 4713 BC.
            Self::Time(time) => {
                matches!(column, ColumnType::TimestampWithTimeZone)
                    && (0..=9999).contains(&time.year())
            }
            Self::Text(text) => {
                matches!(column, ColumnType::String(_) | ColumnType::Text) && !text.contains('\0')
            }
            Self::Number(_) => matches!(column, ColumnType::Integer | ColumnType::BigInteger),
        }
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Time(time) => time.into(),
            Key::Text(text) => text.into(),
            Key::Number(number) => number.into(),
        }
    }
}

/// A place in one list of one tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Fingerprint of the tenant, list and order that it belongs to.
    #[serde(rename = "l", with = "hexadecimal")]
    pub list: u64,
    /// First part of the key.
    #[serde(rename = "k")]
    pub key: Key,
    /// Second part: the row's id.
    #[serde(rename = "i")]
    pub id: Uuid,
}

/// A checked [`PageRequest`]: what the statement needs.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Rows to return at most; the statement asks for one more.
    pub size: u64,
    /// Whether to walk from the back.
    pub backward: bool,
    /// Where to begin.
    pub from: Option<Cursor>,
}

impl PageRequest {
    /// Checks the arguments against the list they are for.
    ///
    /// # Errors
    /// Both directions at once, a size outside 1 to [`MAXIMUM_SIZE`], or a cursor that is not of
    /// this list.
    pub fn walk(&self, list: u64) -> Result<Walk> {
        let backward = self.last.is_some() || (self.before.is_some() && self.first.is_none());
        if self.first.is_some() && self.last.is_some() {
            return Err(Error::refused(
                Code::Invalid,
                "last",
                "Give first or last, not both.",
            ));
        }
        if (backward && self.after.is_some()) || (!backward && self.before.is_some()) {
            return Err(Error::refused(
                Code::Invalid,
                "after",
                "Give first with after, or last with before.",
            ));
        }
        let size = match self.first.or(self.last) {
            None => DEFAULT_SIZE,
            Some(size) => u64::try_from(size)
                .ok()
                .filter(|size| (1..=MAXIMUM_SIZE).contains(size))
                .ok_or_else(|| {
                    Error::refused(
                        Code::Invalid,
                        "first",
                        format!("A page has 1 to {MAXIMUM_SIZE} rows."),
                    )
                })?,
        };
        let from = match self.after.as_ref().or(self.before.as_ref()) {
            None => None,
            Some(text) => Some(
                Cursor::parse(text)
                    .filter(|cursor| cursor.list == list)
                    .ok_or_else(foreign_cursor)?,
            ),
        };
        Ok(Walk {
            size,
            backward,
            from,
        })
    }
}

impl Walk {
    /// The walk along a column of this type. A cursor can be looked into and made up, so that its
    /// key may be of any kind.
    ///
    /// # Errors
    /// A cursor that the column cannot be compared with.
    pub fn along(self, column: &ColumnType) -> Result<Self> {
        match &self.from {
            Some(cursor) if !cursor.key.fits(column) => Err(foreign_cursor()),
            _ => Ok(self),
        }
    }

    /// Makes the page from what the statement found: up to `size + 1` rows, in walking order.
    pub fn page<Row>(
        &self,
        list: u64,
        mut rows: Vec<Row>,
        key: impl Fn(&Row) -> (Key, Uuid),
    ) -> Page<Row> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backward {
            rows.reverse();
        }
        let (has_previous, has_next) = if self.backward {
            (more, self.from.is_some())
        } else {
            (self.from.is_some(), more)
        };
        let rows = rows
            .into_iter()
            .map(|row| {
                let (key, id) = key(&row);
                (Cursor { list, key, id }.to_text(), row)
            })
            .collect();
        Page {
            rows,
            has_previous,
            has_next,
        }
    }

    /// The condition "beyond the cursor" on the columns of the order, if there is a cursor.
    #[must_use]
    pub fn beyond(&self, descending: bool, key: SimpleExpr, id: SimpleExpr) -> Option<SimpleExpr> {
        let cursor = self.from.clone()?;
        let here = Expr::tuple([key, id]);
        let there = Expr::tuple([Expr::value(cursor.key), Expr::value(cursor.id)]);
        Some(if self.backward == descending {
            here.gt(there)
        } else {
            here.lt(there)
        })
    }
}

impl Cursor {
    /// The cursor on the wire: opaque to clients, and free to change with a release. PostgreSQL
    /// writes the same where it writes the answer: see `scope::dialect`.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The cursor in `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= LONGEST)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())?
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// The fingerprint of a list: its tenant, and its name with whatever filters and orders it.
#[must_use]
pub fn list(tenant: Uuid, name: &str) -> u64 {
    let digest = crate::secret::sha256(format!("{tenant}|{name}").as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn foreign_cursor() -> Error {
    Error::refused(
        Code::Invalid,
        "after",
        "This cursor is not from this list. Start again without it.",
    )
}
