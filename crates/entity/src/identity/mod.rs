//! Who a person is: the global login, its second factors and sessions, and the tokens that are mailed.

pub mod account_event;
pub mod account_token;
pub mod linked_account;
pub mod provider_sign_in;
pub mod recovery_code;
pub mod second_factor_counter;
pub mod session;
pub mod sign_in_challenge;
pub mod totp_factor;
pub mod user;
