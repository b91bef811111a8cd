//! Accounts, roles and sessions.

use crate::{UnixMillis, ids::AccountId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What an account may do. Each role may do all that the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Handles conversations.
    Agent,
    /// Watches and helps.
    Supervisor,
    /// Configures.
    Admin,
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Account {
    /// Identifier.
    pub id: AccountId,
    /// Sign-in name.
    pub email: String,
    /// Shown to customers and colleagues.
    pub name: String,
    /// What the account may do.
    pub role: Role,
}

/// `POST /v1/auth/sign-in`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SignIn {
    /// Sign-in name.
    pub email: String,
    /// Secret; never logged.
    pub password: String,
}

/// `POST /v1/auth/refresh` and `/v1/auth/sign-out`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Refresh {
    /// The newest refresh token; a used one revokes the whole family (RFC 9700, 4.14.2).
    pub refresh_token: String,
}

/// The answer to both.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Session {
    /// Who signed in.
    pub account: Account,
    /// Bearer token, 15 minutes.
    pub access_token: String,
    /// When the access token stops working.
    pub access_expires_at: UnixMillis,
    /// Rotates on every use.
    pub refresh_token: String,
}

/// An account made at the first start, with the password that is shown this once.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct FirstAccount {
    /// Sign-in name.
    pub email: String,
    /// What the account may do.
    pub role: Role,
    /// Generated; stored only as an argon2id hash.
    pub password: String,
}
