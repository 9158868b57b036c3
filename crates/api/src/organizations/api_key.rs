//! API keys.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Scope,
    identity::user::UserId,
    organizations::api_key::{self, ApiKeyId, Issued, NewApiKey},
    page::PageRequest,
    permission::{
        ApiKeysCreate, ApiKeysDelete, ApiKeysRead, ApiKeysUpdate, EventsRead, MembersRead,
    },
};
use uuid::Uuid;

use super::held_role;
use crate::{
    connection::Connection,
    error::{Result, nullable},
    events::event::{Event, EventById},
    fields, id,
    identity::user::{User, UserById},
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    selection::Selection,
    time::Time,
    user_error::{Settled, UserError, payload},
};

/// A key with which a machine acts in the organization, which owns it.
#[derive(Clone)]
pub struct ApiKey(Arc<api_key::ApiKey>);

/// A key by its id.
pub struct ApiKeyById;

/// What making a key takes.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// 1 to 100 characters.
    name: String,
    /// What it is to be permitted, by the names in `@requires`: nothing that you may not do yourself,
    /// and nothing that takes a person. To see the organization is permitted to every key.
    permissions: Vec<String>,
    /// Until when it is to work: a year at most; 90 days when left out.
    expires_at: Option<Time>,
}

/// What making a device's key takes.
#[derive(InputObject)]
pub struct CreateDeviceKeyInput {
    /// 1 to 100 characters.
    name: String,
    /// The event at whose door the device is.
    event_id: ID,
}

/// What of a key is to change.
#[derive(InputObject)]
pub struct UpdateApiKeyInput {
    /// Which one.
    api_key_id: ID,
    /// 1 to 100 characters.
    name: String,
}

/// Which key is to have another secret.
#[derive(InputObject)]
pub struct RotateApiKeyInput {
    /// Which one.
    api_key_id: ID,
    /// For how many hours the secret before works beside the new one: 0 to 168.
    #[graphql(default = 24)]
    overlap_hours: i32,
    /// Until when the key is to work: a year at most; as before when left out.
    expires_at: Option<Time>,
}

/// Which key.
#[derive(InputObject)]
pub struct AdoptApiKeyInput {
    /// Which one.
    api_key_id: ID,
}

/// Which key.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// Which one.
    api_key_id: ID,
}

/// What became of a change to a key.
#[derive(SimpleObject)]
pub struct ApiKeyPayload {
    /// The key after it.
    api_key: Option<ApiKey>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of a key that was to have a secret.
#[derive(SimpleObject)]
pub struct ApiKeySecretPayload {
    /// The key.
    api_key: Option<ApiKey>,
    /// Its secret, for `Authorization: Bearer`. It is shown this once: only its hash is kept.
    secret: Option<String>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries about keys.
#[derive(Default)]
pub struct ApiKeyQuery;

/// Mutations of keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyQuery {
    /// The organization's keys, newest first, also those that work no more.
    #[graphql(directive = Requires::apply(ApiKeysRead))]
    async fn api_keys(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ApiKey>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let page = api_key::list(&operation.reader().await?, &request).await?;
        Ok(Connection::prefetched(page, operation, &selected).await)
    }

    /// The key that the request shows; null where it shows none.
    async fn current_api_key(&self, context: &Context<'_>) -> Option<Result<ApiKey>> {
        let operation = Operation::of(context);
        if !operation.is_machine() {
            return None;
        }
        let own = async { api_key::own(&operation.reader().await?).await };
        let key = nullable(own.await)?.transpose()?;
        Some(key.map(ApiKey::from))
    }
}

#[Object]
impl ApiKeyMutation {
    /// Makes a key. It may do what it is permitted as far as you may do that yourself at the time: you
    /// answer for it. Needs a fresh session: see `confirmPassword`.
    #[graphql(directive = Requires::apply(ApiKeysCreate))]
    async fn create_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateApiKeyInput,
    ) -> Option<Result<ApiKeySecretPayload>> {
        let input = NewApiKey {
            name: input.name,
            permissions: input.permissions,
            expires_at: input.expires_at.map(Into::into),
        };
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            api_key::create(writer, fresh, input).await
        })
        .await
    }

    /// Makes a key for a device at the door of one event: it may do what the role `checkin` may, and
    /// sees nothing of any other event. It works until 24 hours after the event's end, whenever that
    /// is. Needs a fresh session: see `confirmPassword`.
    #[graphql(directive = Requires::apply(ApiKeysCreate))]
    async fn create_device_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, and where.")] input: CreateDeviceKeyInput,
    ) -> Option<Result<ApiKeySecretPayload>> {
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            let event = id::decode(&input.event_id, "eventId")?;
            api_key::create_for_device(writer, fresh, &input.name, event).await
        })
        .await
    }

    /// Gives a key another name.
    #[graphql(directive = Requires::apply(ApiKeysUpdate))]
    async fn update_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateApiKeyInput,
    ) -> Option<Result<ApiKeyPayload>> {
        payload(async {
            let id = id::decode(&input.api_key_id, "apiKeyId")?;
            api_key::rename(Operation::of(context).writer().await?, id, &input.name).await
        })
        .await
    }

    /// Gives a key another secret. The one before works for some hours yet, so that it can be replaced
    /// without a gap; one from before that ends at once. You answer for the key from now on. Needs a
    /// fresh session: see `confirmPassword`.
    #[graphql(directive = Requires::apply(ApiKeysUpdate))]
    async fn rotate_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RotateApiKeyInput,
    ) -> Option<Result<ApiKeySecretPayload>> {
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            let id = id::decode(&input.api_key_id, "apiKeyId")?;
            let end = input.expires_at.map(Into::into);
            api_key::rotate(writer, fresh, id, input.overlap_hours, end).await
        })
        .await
    }

    /// Makes you answer for a key in place of whoever did, who may have left: it may do what it is
    /// permitted as far as you may. Its secret stays. Needs a fresh session: see `confirmPassword`.
    #[graphql(directive = Requires::apply(ApiKeysUpdate))]
    async fn adopt_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: AdoptApiKeyInput,
    ) -> Option<Result<ApiKeyPayload>> {
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            let id = id::decode(&input.api_key_id, "apiKeyId")?;
            api_key::adopt(writer, fresh, id).await
        })
        .await
    }

    /// Ends a key, for good and at once; streams that are open end.
    #[graphql(directive = Requires::apply(ApiKeysDelete))]
    async fn revoke_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiKeyInput,
    ) -> Option<Result<ApiKeyPayload>> {
        payload(async {
            let id = id::decode(&input.api_key_id, "apiKeyId")?;
            api_key::revoke(Operation::of(context).writer().await?, id).await
        })
        .await
    }
}

fields! {
    /// A key with which a machine acts in the organization, which owns it.
    ApiKey in api_key::table;
    columns {
        /// Global id.
        id: ID = id;
        /// Its name.
        name: &str = name;
        /// What its present secret begins with, after `rck_`: by this one that leaked is found.
        lookup: &str = lookup;
        /// When it was made.
        created_at: Time = created_at;
        /// When it last changed.
        updated_at: Time = updated_at;
        /// Until when it works; null for a device's, which works until 24 hours after its event's end.
        expires_at: Option<Time> = expires_at;
        /// When it was last used, to the minute.
        last_used_at: Option<Time> = last_used_at;
        /// When it was revoked.
        revoked_at: Option<Time> = revoked_at;
    }
    computed {}
    guarded {}
    one {
        /// The one event that a device's key is for.
        event: Event = EventById by event_id, EventsRead;
    }
    many {}
    needs {
        responsible: UserById by responsible;
    }

    /// Who answers for it; null once they have lost access, and then the key may do nothing until
    /// somebody adopts it.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn responsible(&self, context: &Context<'_>) -> Option<Result<User>> {
        let key = responsible(&self.0);
        let operation = Operation::of(context);
        operation.load::<UserById>(key).await.transpose()
    }

    /// What it is permitted, as far as whoever answers for it may do that themselves.
    async fn permissions(&self) -> Vec<&'static str> {
        held_role::names(api_key::permissions(&self.0))
    }
}

/// An account's id; one that names nobody where there is none.
fn responsible(key: &api_key::ApiKey) -> UserId {
    key.responsible_id.unwrap_or_else(|| Uuid::nil().into())
}

impl From<api_key::ApiKey> for ApiKey {
    fn from(row: api_key::ApiKey) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Settled<api_key::ApiKey>> for ApiKeyPayload {
    fn from(settled: Settled<api_key::ApiKey>) -> Self {
        Self {
            api_key: settled.value.map(ApiKey::from),
            errors: settled.errors,
        }
    }
}

impl From<Settled<Issued>> for ApiKeySecretPayload {
    fn from(settled: Settled<Issued>) -> Self {
        let (api_key, secret) = settled
            .value
            .map(|issued| (issued.key.into(), issued.secret.reveal()))
            .unzip();
        Self {
            api_key,
            secret,
            errors: settled.errors,
        }
    }
}

impl Relation for ApiKeyById {
    type Key = ApiKeyId;
    type Value = ApiKey;

    async fn load(scope: Scope, keys: Vec<ApiKeyId>) -> Loaded<Self> {
        let rows = api_key::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}
