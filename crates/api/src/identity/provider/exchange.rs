//! What a provider proves for a code: that its ID token is of it, for us, for this sign-in, and now.

use std::{collections::HashSet, ops::Deref};

use domain::{
    Clock, Code, Error, Result,
    identity::linked_account::{Claimed, Identity},
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, LocalizedClaim, Nonce,
    OAuth2TokenResponse, PkceCodeVerifier, SignatureVerificationError, TokenResponse,
    core::{
        CoreClientAuthMethod, CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreTokenResponse,
        CoreUserInfoClaims,
    },
};

use super::{Metadata, Provider};

/// How an ID token may be signed: with a key that only the provider has.
const ALGORITHMS: &[CoreJwsSigningAlgorithm] = &[
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider tells about a person, beside who it is.
struct Told {
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    name: Option<String>,
    locale: Option<String>,
}

/// What it tells in the ID token, or when asked: the library has two types of the same claims.
macro_rules! told {
    ($claims:expr) => {
        Told {
            email: $claims.email().map(|email| email.to_string()),
            email_verified: $claims.email_verified() == Some(true),
            given_name: $claims.given_name().and_then(|name| usual(name)),
            family_name: $claims.family_name().and_then(|name| usual(name)),
            name: $claims.name().and_then(|name| usual(name)),
            locale: $claims.locale().map(|locale| locale.to_string()),
        }
    };
}

/// Whether an answer that came by the browser is of the provider that this says (RFC 9207): one that was mixed up with
/// another's says so, where the provider says anything.
///
/// # Errors
/// A refusal when it is not.
pub fn check_issuer(metadata: &Metadata, said: Option<&str>) -> Result<()> {
    let extra = metadata.additional_metadata();
    let is_said = extra.authorization_response_iss_parameter_supported == Some(true);
    match said {
        Some(said) if said == metadata.issuer().as_str() => Ok(()),
        None if !is_said => Ok(()),
        _ => Err(Error::refused(
            Code::Invalid,
            "iss",
            "This answer is of another provider. Begin again.",
        )),
    }
}

impl Provider {
    /// Who the provider says it is, for a code that its browser brought back.
    ///
    /// # Errors
    /// A refusal when that is not proved, whatever is wrong: the log says more.
    pub async fn identify(
        &self,
        metadata: &Metadata,
        claimed: &Claimed,
        code: &str,
        clock: &Clock,
    ) -> Result<Identity> {
        let client = self.client(metadata);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| self.failed(&error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(claimed.verifier()));
        let answer: CoreTokenResponse = request
            .request_async(&self.http)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        let nonce = Nonce::new(claimed.nonce());
        let verified = match self.verify(metadata, &answer, &nonce, clock) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                // A key that came after we asked.
                let renewed = self.discovery.renewed(&self.settings, &self.http).await;
                let renewed = renewed.ok_or_else(|| self.failed("it signs with no key of its"))?;
                self.verify(&renewed, &answer, &nonce, clock)
            }
            verified => verified,
        };
        let claims = verified.map_err(|error| self.failed(&error.to_string()))?;
        if claims.email().is_some() || metadata.userinfo_endpoint().is_none() {
            return self.identity(&claims, &answer, told!(claims));
        }
        let request = client.user_info(
            answer.access_token().clone(),
            Some(claims.subject().clone()),
        );
        let request = request.map_err(|error| self.failed(&error.to_string()))?;
        let told: CoreUserInfoClaims = request
            .request_async(&self.http)
            .await
            .map_err(|error| self.failed(&error.to_string()))?;
        self.identity(&claims, &answer, told!(told))
    }

    /// The claims of the answer's ID token, if it is what it has to be.
    fn verify(
        &self,
        metadata: &Metadata,
        answer: &CoreTokenResponse,
        nonce: &Nonce,
        clock: &Clock,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let other = |why: &str| ClaimsVerificationError::Other(why.to_owned());
        let token = answer
            .id_token()
            .ok_or_else(|| other("there is no ID token"))?;
        let said: HashSet<_> = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .collect();
        let permitted = ALGORITHMS.iter().filter(|one| said.contains(one)).cloned();
        let client = self.client(metadata);
        let now = clock.clone();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(permitted)
            .set_time_fn(move || now.now());
        let claims = token.claims(&verifier, nonce)?;
        if claims
            .authorized_party()
            .is_some_and(|party| *party != self.settings.client_id)
        {
            return Err(other("it is for another client"));
        }
        if let Some(expected) = claims.access_token_hash() {
            let unsigned = ClaimsVerificationError::SignatureVerification;
            let algorithm = token.signing_alg().map_err(unsigned)?;
            let key = token.signing_key(&verifier).map_err(unsigned)?;
            let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
            if actual.is_ok_and(|actual| actual != *expected) {
                return Err(other("the access token is not the one that comes with it"));
            }
        }
        Ok(claims.clone())
    }

    fn identity(
        &self,
        claims: &CoreIdTokenClaims,
        answer: &CoreTokenResponse,
        told: Told,
    ) -> Result<Identity> {
        let subject = claims.subject().as_str();
        // OpenID Connect Core, 2: no longer than 255 ASCII characters.
        if subject.is_empty()
            || subject.len() > 255
            || !subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            return Err(self.failed("its subject is none"));
        }
        Ok(Identity {
            issuer: self.settings.issuer.to_string(),
            subject: subject.to_owned(),
            email: told.email,
            email_verified: told.email_verified,
            given_name: told.given_name,
            family_name: told.family_name,
            name: told.name,
            locale: told.locale,
            refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        })
    }

    /// One answer for everything that proves nothing.
    fn failed(&self, why: &str) -> Error {
        tracing::warn!(provider = self.settings.id, why, "provider.failed");
        Error::refused(
            Code::ProviderFailed,
            "",
            "The provider did not prove who it is. Begin again.",
        )
    }
}

/// How the provider is shown who we are: as it says, or as RFC 6749 has it.
pub(super) fn authentication(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    match methods {
        Some(methods) if !methods.contains(&CoreClientAuthMethod::ClientSecretBasic) => {
            AuthType::RequestBody
        }
        _ => AuthType::BasicAuth,
    }
}

/// A name in no language in particular, or in any.
fn usual<T: Clone + Deref<Target = String>>(claim: &LocalizedClaim<T>) -> Option<String> {
    let mut all = claim.iter();
    let any = claim.get(None).or_else(|| all.next().map(|(_, name)| name));
    any.map(|name| name.deref().clone())
}
