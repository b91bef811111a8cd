//! Signing in, staying signed in, signing out.

use crate::{
    app::{App, now},
    http::{
        body::{Body, bearer},
        refusal::{Refusal, to_the_end},
    },
    secrets,
};
use axum::{
    Json,
    extract::{ConnectInfo, FromRequestParts, State},
    http::{StatusCode, request::Parts},
};
use sightline_store::{SqliteConnection, StoreError, accounts, sessions};
use sightline_wire::{
    ErrorCode, UnixMillis,
    account::{Account, Refresh, Session, SignIn},
};
use std::{net::SocketAddr, sync::Arc};
use uuid::Uuid;

/// A desk that was not used for so long signs in again.
const REFRESH_TTL_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// An exchanged token may be exchanged once more within this time, as long as what it was exchanged for was
/// never used: the answer got lost, and nobody else has it.
const LOST_ANSWER_MS: i64 = 10_000;

/// Who speaks, from the access token.
pub struct SignedIn {
    pub account: Account,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers).ok_or(ErrorCode::NotSignedIn)?;
        let (account, _) = who(app, token).await?;
        Ok(Self { account })
    }
}

/// Whom an access token speaks for, and in which sign-in.
pub async fn who(app: &App, token: &str) -> Result<(Account, String), Refusal> {
    let mut c = app.store.read().await?;
    let found = sessions::by_access_token(&mut c, &secrets::hash(token), now()).await?;
    Ok(found.ok_or(ErrorCode::SessionExpired)?)
}

/// `POST /v1/auth/sign-in`.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(body): Body<SignIn>,
) -> Result<Json<Session>, Refusal> {
    let name = (peer.ip(), accounts::fold_email(&body.email));
    let limits = &app.limits;
    if limits.sign_in.exhausted(&name, now()) || limits.sign_in_address.exhausted(&name.0, now()) {
        return Err(ErrorCode::RateLimited.into());
    }
    let stored = {
        let mut c = app.store.read().await?;
        accounts::by_email(&mut c, &body.email).await?
    };
    let (account, hash) = match stored {
        Some(stored) => (Some(stored.account), Some(stored.password_hash)),
        None => (None, None),
    };
    let fits = {
        let _turn = limits.hashing.acquire().await.map_err(|_| ErrorCode::Internal)?;
        tokio::task::spawn_blocking(move || secrets::password_fits(&body.password, hash.as_deref())).await?
    };
    let Some(account) = account.filter(|_| fits) else {
        limits.sign_in_address.count(name.0, now());
        limits.sign_in.count(name, now());
        return Err(ErrorCode::WrongCredentials.into());
    };
    limits.sign_in.forget(&name);
    tracing::info!(account = %account.id, "signed in");
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let family = Uuid::new_v4().to_string();
        sessions::begin(writing.conn(), &family, account.id, now()).await?;
        let pair = Pair::new(&app, now());
        pair.store(writing.conn(), &family, now()).await?;
        let _committed = writing.commit().await?;
        Ok(Json(pair.session(account)))
    })
    .await
}

/// `POST /v1/auth/refresh`.
pub async fn refresh(State(app): State<Arc<App>>, Body(body): Body<Refresh>) -> Result<Json<Session>, Refusal> {
    to_the_end(async move {
        let now = now();
        let old = secrets::hash(&body.refresh_token);
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let token = sessions::refresh_token(c, &old)
            .await?
            .ok_or(ErrorCode::SessionExpired)?;
        if token.revoked || token.expires_at <= now {
            return Err(ErrorCode::SessionExpired.into());
        }
        if let Some(used_at) = token.used_at {
            let lost = match &token.successor {
                Some(successor) if now - used_at <= LOST_ANSWER_MS => sessions::refresh_token(c, successor)
                    .await?
                    .is_some_and(|next| next.used_at.is_none())
                    .then_some(successor),
                Some(_) | None => None,
            };
            match lost {
                Some(successor) => sessions::forget_refresh_token(c, successor).await?,
                None => {
                    // Two parties hold the same token: neither can be trusted.
                    sessions::revoke(c, &token.family, now).await?;
                    let _committed = writing.commit().await?;
                    app.desks.session_over(&token.family);
                    tracing::warn!(account = %token.account, "a refresh token was used twice");
                    return Err(ErrorCode::SessionExpired.into());
                }
            }
        }
        let account = accounts::by_id(c, token.account)
            .await?
            .ok_or(ErrorCode::SessionExpired)?;
        let pair = Pair::new(&app, now);
        pair.store(c, &token.family, now).await?;
        sessions::mark_used(c, &old, &pair.refresh_hash(), now).await?;
        let _committed = writing.commit().await?;
        Ok(Json(pair.session(account)))
    })
    .await
}

/// `POST /v1/auth/sign-out`. An unknown token is as good as signed out.
pub async fn sign_out(State(app): State<Arc<App>>, Body(body): Body<Refresh>) -> Result<StatusCode, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let hash = secrets::hash(&body.refresh_token);
        if let Some(token) = sessions::refresh_token(writing.conn(), &hash).await? {
            sessions::revoke(writing.conn(), &token.family, now()).await?;
            let _committed = writing.commit().await?;
            app.desks.session_over(&token.family);
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// A fresh pair of tokens.
struct Pair {
    access: String,
    refresh: String,
    access_expires_at: UnixMillis,
}

impl Pair {
    fn new(app: &App, now: UnixMillis) -> Self {
        let ttl = i64::try_from(app.config.access_ttl.as_millis()).unwrap_or(i64::MAX / 2);
        Self {
            access: secrets::token(),
            refresh: secrets::token(),
            access_expires_at: now + ttl,
        }
    }

    fn refresh_hash(&self) -> String {
        secrets::hash(&self.refresh)
    }

    async fn store(&self, c: &mut SqliteConnection, family: &str, now: UnixMillis) -> Result<(), StoreError> {
        let access = secrets::hash(&self.access);
        let refresh = self.refresh_hash();
        sessions::add_tokens(
            c,
            family,
            (&access, self.access_expires_at),
            (&refresh, now + REFRESH_TTL_MS),
            now,
        )
        .await
    }

    fn session(self, account: Account) -> Session {
        Session {
            account,
            access_token: self.access,
            access_expires_at: self.access_expires_at,
            refresh_token: self.refresh,
        }
    }
}
