//! What people tell about themselves.

use entity::identity::user;
use sea_orm::{UpdateMany, Value, sea_query::Expr};
use url::Url;

use super::{
    account_log::{self, Kind},
    session,
};
use crate::{Code, Error, Problem, Result, Viewer, mail::Locale, text};

/// Characters of a picture's address at most.
const LONGEST_URL: usize = 2048;

/// What of a profile is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    /// 1 to 100 characters.
    pub first_name: Option<String>,
    /// Up to 100 characters.
    pub last_name: Option<String>,
    /// A telephone number, or nothing.
    pub phone: Option<Option<String>>,
    /// Where a picture of them is, or nothing. It is not looked at here.
    pub avatar_url: Option<Option<String>>,
    /// The language of their mails.
    pub locale: Option<Locale>,
}

/// Changes the viewer's profile.
///
/// # Errors
/// A refusal naming every field that is wrong.
pub async fn update(viewer: &Viewer, patch: ProfilePatch) -> Result<()> {
    let mut problems = Vec::new();
    let mut values = vec![(user::Column::UpdatedAt, viewer.clock().now().into())];
    if let Some(name) = patch.first_name {
        let name = text::required(&mut problems, "firstName", &name, 100);
        values.push((user::Column::FirstName, name.into()));
    }
    if let Some(name) = patch.last_name {
        let name = text::optional(&mut problems, "lastName", &name, 100);
        values.push((user::Column::LastName, name.into()));
    }
    if let Some(phone) = patch.phone {
        let phone = given(&mut problems, phone, text::phone);
        values.push((user::Column::Phone, phone.into()));
    }
    if let Some(address) = patch.avatar_url {
        let address = given(&mut problems, address, picture);
        values.push((user::Column::AvatarUrl, address.into()));
    }
    if let Some(locale) = patch.locale {
        values.push((user::Column::Locale, locale.as_str().into()));
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let own = viewer.begin(true).await?;
    session::lock(&own, viewer).await?;
    let change = |update: UpdateMany<user::Entity>, (column, value): (_, Value)| {
        update.col_expr(column, Expr::value(value))
    };
    let update = values.into_iter().fold(own.change(), change);
    own.update(update).await?;
    account_log::done(&own, viewer, Kind::ProfileUpdated).await?;
    own.commit().await
}

/// A text that may be blank, which is nothing, checked otherwise.
fn given(
    problems: &mut Vec<Problem>,
    text: Option<String>,
    check: impl Fn(&str) -> Result<String, Problem>,
) -> Option<String> {
    let text = text?;
    match text.trim() {
        "" => None,
        text => check(text).map_err(|problem| problems.push(problem)).ok(),
    }
}

/// The address of a picture: one that a page served with encryption can show, and that shows nobody's
/// password.
fn picture(address: &str) -> Result<String, Problem> {
    let is_plain =
        address.len() <= LONGEST_URL && address.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(address).ok().filter(|url| {
        let is_open = url.username().is_empty() && url.password().is_none();
        is_plain && is_open && url.scheme() == "https" && url.as_str().len() <= LONGEST_URL
    });
    url.map(String::from).ok_or_else(|| {
        Problem::new(
            Code::Invalid,
            "avatarUrl",
            "This is not an address like https://example.org/me.png of at most 2048 characters.",
        )
    })
}
