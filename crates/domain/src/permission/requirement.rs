//! What an organization wants a second factor for.

use super::{Permission, Permissions};

/// Stands for everybody, where it is stored.
const EVERYBODY: &str = "*";
/// Stands before a role's slug there.
const ROLE: char = '@';

/// What of their rights people have in an organization only in a session in which they gave a second
/// factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// All of them, whoever it is.
    pub everybody: bool,
    /// All of them, for who holds one of these roles, by its slug.
    pub roles: Vec<String>,
    /// These, whoever it is.
    pub permissions: Permissions,
}

impl Requirement {
    /// What is stored: words with blanks between them. A permission that this release does not know is
    /// permitted to nobody anyway.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let roles = text.split(' ').filter_map(|word| word.strip_prefix(ROLE));
        Self {
            everybody: text.split(' ').any(|word| word == EVERYBODY),
            roles: roles.map(str::to_owned).collect(),
            permissions: text.split(' ').filter_map(Permission::parse).collect(),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn spell(&self) -> String {
        let everybody = self.everybody.then(|| EVERYBODY.to_owned());
        let roles = self.roles.iter().map(|role| format!("{ROLE}{role}"));
        let permissions = self.permissions.iter().map(|one| one.to_string());
        let words = everybody.into_iter().chain(roles).chain(permissions);
        words.collect::<Vec<_>>().join(" ")
    }

    /// What of their rights it withholds from who holds `roles`, as [`Permissions::of_roles`] reads them,
    /// as long as they gave no second factor.
    #[must_use]
    pub fn withholds(&self, roles: &str) -> Permissions {
        let mut held = roles.split(',').filter_map(|role| role.split(' ').next());
        if self.everybody || held.any(|role| self.roles.iter().any(|listed| listed == role)) {
            Permissions::all()
        } else {
            self.permissions
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_withholds_what_it_says() {
        let held = "checkin ,treasurer loyalty:read members:read";
        for (text, withheld) in [
            ("", Permissions::default()),
            ("*", Permissions::all()),
            ("@treasurer", Permissions::all()),
            ("@checkin", Permissions::all()),
            ("@check @owner", Permissions::default()),
            (
                "@owner members:read unheard:of",
                [Permission::MembersRead].into_iter().collect(),
            ),
        ] {
            assert_eq!(Requirement::parse(text).withholds(held), withheld, "{text}");
        }
        let text = "* @owner @check-in organization:read members:read";
        assert_eq!(Requirement::parse(text).spell(), text);
        assert_eq!(Requirement::default().spell(), "");
    }
}
