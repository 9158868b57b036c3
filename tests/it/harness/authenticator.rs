//! An authenticator app, as somebody else would write one.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::Client;

/// Half a minute, for which a code is shown.
pub const STEP: TimeDelta = TimeDelta::seconds(30);

/// An app with one entry.
#[derive(Clone)]
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    /// One that was told this secret.
    pub fn told(base32: &str) -> Self {
        let bits = |letter: u8| match letter {
            b'A'..=b'Z' => format!("{:05b}", letter - b'A'),
            b'2'..=b'7' => format!("{:05b}", letter - b'2' + 26),
            _ => panic!("{base32} is not base 32"),
        };
        let bits: String = base32.bytes().map(bits).collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        let byte = |bits: &[u8]| {
            let bits = std::str::from_utf8(bits).expect("digits");
            u8::from_str_radix(bits, 2).expect("a byte")
        };
        Self(bytes.map(byte).collect())
    }

    /// The secret as hexadecimal digits.
    pub fn secret(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What it shows at this time.
    pub fn code(&self, at: DateTime<Utc>) -> String {
        let step = at.timestamp() / STEP.num_seconds();
        let digest = hmac(&self.0, &step.to_be_bytes());
        let offset = usize::from(digest[19] % 16);
        let number = digest[offset..offset + 4]
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

impl Client {
    /// Begins to add an app in a fresh session.
    pub async fn begin_totp(&self) -> Authenticator {
        let begun = self
            .ok(
                "mutation { beginTotp { secret uri errors { code message } } }",
                json!({}),
            )
            .await;
        let secret = begun["beginTotp"]["secret"].as_str().expect("a secret");
        let uri = begun["beginTotp"]["uri"].as_str().expect("a URI");
        assert!(
            uri.starts_with("otpauth://totp/Rollcall:") && uri.contains(secret),
            "{uri}"
        );
        Authenticator::told(secret)
    }

    /// Adds an app in a fresh session at this time: the session under its new token, the app, and the
    /// recovery codes.
    pub async fn with_app(&self, now: DateTime<Utc>) -> (Self, Authenticator, Vec<String>) {
        let app = self.begin_totp().await;
        let input = json!({ "code": app.code(now) });
        let confirmed = self.done("confirmTotp", "token recoveryCodes", input).await;
        let codes = confirmed["recoveryCodes"].as_array().expect("codes");
        let codes = codes
            .iter()
            .map(|code| code.as_str().expect("a code").to_owned());
        (self.holding(&confirmed), app, codes.collect())
    }

    /// The same client with the token of this payload.
    pub fn holding(&self, payload: &Value) -> Self {
        self.with_token(payload["token"].as_str().expect("a token"))
    }
}

/// RFC 2104 over SHA-1, for keys that are not too long.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |with: u8| -> Vec<u8> {
        let mut block = [with; 64];
        block
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
        block.to_vec()
    };
    let inner = Sha1::digest([&padded(0x36), message].concat());
    Sha1::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

#[test]
fn it_shows_what_the_standard_says() {
    // "12345678901234567890" in base 32; RFC 6238, appendix B, of eight digits the last six.
    let app = Authenticator::told("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    for (second, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (20_000_000_000, "353130"),
    ] {
        let at = DateTime::from_timestamp(second, 0).expect("a time");
        assert_eq!(app.code(at), code);
    }
}
