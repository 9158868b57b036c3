//! What a provider says about itself, and its keys: asked for when first needed, and kept for a while.

use std::{sync::Arc, time::Duration};

use openidconnect::{
    AdditionalProviderMetadata, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
        CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use super::{http::Http, settings::Settings};

/// What was found out holds for so long; a key that was taken away signs nobody in after that.
const KEPT: Duration = Duration::from_mins(10);
/// A key that is not among those known is looked for no more often than this.
const APART: Duration = Duration::from_mins(1);
/// Those who waited while it could not be found out do not each ask again.
const SHARED: Duration = Duration::from_secs(1);

/// What a provider says about itself.
pub type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What it says beyond OpenID Connect Discovery.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Extra {
    /// RFC 9207: whether its answers say whose they are.
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// RFC 8414: how it does PKCE; many that do say nothing.
    pub code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for Extra {}

/// The last that was found out about a provider, or that nothing was.
#[derive(Default)]
pub struct Discovery(Mutex<Option<Found>>);

struct Found {
    at: Instant,
    metadata: Option<Arc<Metadata>>,
}

impl Discovery {
    /// What the provider says; none, which is logged, where it says nothing, or nothing that is right.
    pub async fn metadata(&self, settings: &Settings, http: &Http) -> Option<Arc<Metadata>> {
        let found = self.0.lock().await;
        if let Some(known) = &*found
            && known.at.elapsed()
                < if known.metadata.is_some() {
                    KEPT
                } else {
                    SHARED
                }
        {
            return known.metadata.clone();
        }
        ask(found, settings, http).await
    }

    /// The same with the keys that it has by now; none where that was asked a moment ago.
    pub async fn renewed(&self, settings: &Settings, http: &Http) -> Option<Arc<Metadata>> {
        let found = self.0.lock().await;
        if let Some(known) = &*found
            && known.at.elapsed() < APART
        {
            return None;
        }
        ask(found, settings, http).await
    }
}

/// Asks the provider. Meanwhile others wait, for the same answer.
async fn ask(
    mut found: MutexGuard<'_, Option<Found>>,
    settings: &Settings,
    http: &Http,
) -> Option<Arc<Metadata>> {
    let asked = Metadata::discover_async(settings.issuer.clone(), http).await;
    let checked = asked
        .map_err(|error| error.to_string())
        .and_then(|metadata| {
            check(&metadata, http)
                .map(|()| metadata)
                .map_err(str::to_owned)
        });
    let metadata = match checked {
        Ok(metadata) => Some(Arc::new(metadata)),
        Err(why) => {
            tracing::warn!(provider = settings.id, why, "provider.discovery");
            None
        }
    };
    *found = Some(Found {
        at: Instant::now(),
        metadata: metadata.clone(),
    });
    metadata
}

fn check(metadata: &Metadata, http: &Http) -> Result<(), &'static str> {
    if !http.may_ask(metadata.authorization_endpoint().url()) {
        return Err("its authorization endpoint is not an https URL");
    }
    let extra = metadata.additional_metadata();
    let methods = extra.code_challenge_methods_supported.as_ref();
    if methods.is_some_and(|methods| methods.iter().all(|method| method != "S256")) {
        return Err("it does not do PKCE with S256");
    }
    Ok(())
}
