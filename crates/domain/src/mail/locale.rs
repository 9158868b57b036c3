//! The languages of mails.

/// A language that mails are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

impl Locale {
    /// As BCP 47 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language of a stored locale, whatever its region; English where there is no such one.
    #[must_use]
    pub fn of(stored: &str) -> Self {
        match stored.split('-').next() {
            Some("de") => Self::De,
            _ => Self::En,
        }
    }
}
