//! Coming back from a provider: whose sign-in it is, and that nobody completes it twice.

use entity::identity::provider_sign_in::{Column, Entity};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::begin::{nonce, verifier};
use crate::{Code, Error, Result, System, Viewer, secret::Token};

/// A sign-in under way that its browser brought back. Nobody else can claim it any more.
pub struct Claimed {
    browser: Token,
    pub(super) provider: String,
    /// Whose account is to be linked; none for a sign-in.
    pub(super) viewer: Option<Viewer>,
    return_to: String,
}

impl Claimed {
    /// What the provider must have repeated in its proof.
    #[must_use]
    pub fn nonce(&self) -> String {
        nonce(&self.browser)
    }

    /// What proves to the provider that it was we who began it.
    #[must_use]
    pub fn verifier(&self) -> String {
        verifier(&self.browser)
    }

    /// Where the browser goes then.
    #[must_use]
    pub fn return_to(&self) -> &str {
        &self.return_to
    }
}

/// Claims the sign-in of a state for the browser that began it; if it is to link an account, for the
/// session, too. Of many who try at once one does.
///
/// # Errors
/// One refusal for whatever is wrong: another browser, provider or session, too late, or once more. What
/// others try leaves it as it is.
pub async fn claim(
    system: &System,
    provider: &str,
    state: &str,
    browser: &str,
    viewer: Option<Viewer>,
) -> Result<Claimed> {
    let (Some(state), Some(browser)) = (Token::parse(state), Token::parse(browser)) else {
        return Err(invalid());
    };
    let now = system.clock().now();
    let mut asked = Condition::any().add(Column::SessionId.is_null());
    if let Some(viewer) = &viewer {
        let by_them = Condition::all()
            .add(Column::UserId.eq(viewer.user()))
            .add(Column::SessionId.eq(viewer.session()));
        asked = asked.add(by_them);
    }
    let live = open(provider, &state)
        .add(Column::BrowserHash.eq(browser.hash()))
        .add(Column::ExpiresAt.gt(now))
        .add(asked);
    let transaction = system.begin(true).await?;
    let found = Entity::find().filter(live.clone());
    let row = found.one(&*transaction).await?.ok_or_else(invalid)?;
    let claimed = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(live)
        .exec(&*transaction)
        .await?;
    if claimed.rows_affected != 1 {
        return Err(invalid());
    }
    transaction.commit().await?;
    Ok(Claimed {
        browser,
        provider: row.provider,
        viewer: viewer.filter(|_| row.session_id.is_some()),
        return_to: row.return_to,
    })
}

/// Where the browser of a sign-in under way goes, which has nothing to do with who it is.
pub async fn return_to(system: &System, provider: &str, state: &str) -> Result<Option<String>> {
    let Some(state) = Token::parse(state) else {
        return Ok(None);
    };
    let transaction = system.begin(false).await?;
    let live = open(provider, &state).add(Column::ExpiresAt.gt(system.clock().now()));
    let row = Entity::find().filter(live).one(&*transaction).await?;
    Ok(row.map(|row| row.return_to))
}

fn open(provider: &str, state: &Token) -> Condition {
    Condition::all()
        .add(Column::StateHash.eq(state.hash()))
        .add(Column::Provider.eq(provider))
        .add(Column::UsedAt.is_null())
}

fn invalid() -> Error {
    Error::refused(
        Code::InvalidToken,
        "state",
        "This sign-in was begun in another browser, by another session or at another provider, was completed, or is more than ten minutes old. Begin again.",
    )
}
