//! The server's HTTP side: one method per route, every error a [`Problem`], every call with a deadline.
//!
//! The access token is refreshed by whoever finds it old; the others wait for that one answer, because a
//! refresh token that is used twice revokes the whole family.

mod connectors;
mod files;
mod measuring;
mod readiness;
mod wall;

pub(crate) use measuring::Asked;

use crate::keyring::Keyring;
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Refresh, Session, SignIn},
    conversation::{Close, Conversation, EditConversation, Message, MessagePage, SendMessage, WrapUp},
    escalation::{EscalationView, StartVideo, VideoStarted},
    ids::{CommandId, ConversationId, EscalationId},
    link::{ChatLinkSent, MakeChatLink},
    routing::{Transfer, TransferTargets},
    stats::CallMoments,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, mpsc},
    time::{Instant, timeout},
};

/// A server on the same network answers in milliseconds; one that takes longer than this is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// No route does more work than a few writes.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A token is renewed this long before its end, so that no request dies of age on the way.
const RENEW_BEFORE_MS: i64 = 60_000;

/// Keeping a token goes on in the background after this long.
const KEYRING_PATIENCE: Duration = Duration::from_secs(1);

/// Messages fetched at a time.
const PAGE: u32 = 200;

/// The same of an earlier conversation, which is read backwards.
const EARLIER_PAGE: u32 = 50;

/// One account's view of the server. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base: String,
    keyring: Keyring,
    /// Under which name the keyring keeps the refresh token.
    kept_as: String,
    tokens: Mutex<Option<Tokens>>,
    lost: mpsc::UnboundedSender<Problem>,
}

struct Tokens {
    access: String,
    renew_at: Instant,
    refresh: String,
}

impl Tokens {
    /// The server's clock may differ from ours: its own statement is trusted only within bounds.
    fn of(session: &Session) -> Self {
        let left = session.access_expires_at - crate::now() - RENEW_BEFORE_MS;
        let left = Duration::from_millis(left.clamp(30_000, 14 * 60_000).unsigned_abs());
        Self {
            access: session.access_token.clone(),
            renew_at: Instant::now() + left,
            refresh: session.refresh_token.clone(),
        }
    }
}

impl Api {
    /// A client for the server at `base`, whose refresh token is kept in `keyring` as `kept_as`. When the
    /// server ends the session, `lost` is told why.
    pub fn new(
        base: &str,
        keyring: Keyring,
        kept_as: String,
        lost: mpsc::UnboundedSender<Problem>,
    ) -> Result<Self, Problem> {
        let base = base.trim_end_matches('/').to_owned();
        let url = reqwest::Url::parse(&base).map_err(|error| {
            tracing::error!(%error, "the server's address is not an address");
            Problem::new(ErrorCode::ServerUnreachable).saying("The server's address is not valid.")
        })?;
        let http = client(&url)?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base,
                keyring,
                kept_as,
                tokens: Mutex::new(None),
                lost,
            }),
        })
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.inner.base
    }

    /// Signs in and keeps the session.
    pub async fn sign_in(&self, email: String, password: String) -> Result<Session, Problem> {
        let mut tokens = self.inner.tokens.lock().await;
        let session = self
            .send::<Session>(Method::POST, "/v1/auth/sign-in", None, &SignIn { email, password })
            .await?;
        self.keep(&mut tokens, &session).await;
        Ok(session)
    }

    /// Goes on with the session in the keyring; `None` when there is none.
    pub async fn restore(&self) -> Result<Option<Session>, Problem> {
        let Some(refresh) = self.inner.keyring.get(&self.inner.kept_as).await else {
            return Ok(None);
        };
        let mut tokens = self.inner.tokens.lock().await;
        match self.exchange(&refresh).await {
            Ok(session) => {
                self.keep(&mut tokens, &session).await;
                Ok(Some(session))
            }
            Err(problem) => {
                if is_final(&problem) {
                    self.forget().await;
                }
                Err(problem)
            }
        }
    }

    /// Revokes the session, here and, if it can be reached, on the server.
    pub async fn sign_out(&self) {
        let mut slot = self.inner.tokens.lock().await;
        let tokens = slot.take();
        // Under the lock: a sign-in right behind must not have its own token forgotten.
        self.forget().await;
        drop(slot);
        if let Some(Tokens {
            refresh: refresh_token, ..
        }) = tokens
        {
            let revoked = self
                .send_raw(
                    Method::POST,
                    "/v1/auth/sign-out",
                    None,
                    Some(&Refresh { refresh_token }),
                )
                .await;
            if let Err(problem) = revoked {
                tracing::info!(code = ?problem.code, "the server did not take the sign-out");
            }
        }
    }

    /// A token that is good for at least another half minute.
    pub async fn access_token(&self) -> Result<String, Problem> {
        self.token(None).await
    }

    /// A new token, because the server refused this one.
    pub async fn replace_token(&self, refused: &str) -> Result<String, Problem> {
        self.token(Some(refused)).await
    }

    /// One conversation.
    pub async fn conversation(&self, id: ConversationId) -> Result<Conversation, Problem> {
        self.call(Method::GET, &format!("/v1/conversations/{id}"), None::<&()>)
            .await
    }

    /// Notes, variables, read mark.
    pub async fn edit(&self, id: ConversationId, edit: &EditConversation) -> Result<Conversation, Problem> {
        self.call(Method::PATCH, &format!("/v1/conversations/{id}"), Some(edit))
            .await
    }

    /// Takes a waiting conversation.
    pub async fn accept(&self, id: ConversationId) -> Result<Conversation, Problem> {
        self.call(Method::POST, &format!("/v1/conversations/{id}/accept"), Some(&Empty {}))
            .await
    }

    /// Turns down the conversation that this agent is asked to take.
    pub async fn decline(&self, id: ConversationId) -> Result<(), Problem> {
        self.call(
            Method::POST,
            &format!("/v1/conversations/{id}/decline"),
            Some(&Empty {}),
        )
        .await
    }

    /// Hands a conversation over.
    pub async fn transfer(&self, id: ConversationId, transfer: &Transfer) -> Result<Conversation, Problem> {
        self.call(
            Method::POST,
            &format!("/v1/conversations/{id}/transfer"),
            Some(transfer),
        )
        .await
    }

    /// Whom it can be handed to, by a part of the name.
    pub async fn targets(&self, id: ConversationId, search: &str) -> Result<TransferTargets, Problem> {
        let mut url = reqwest::Url::parse("desk:/").map_err(|_| ErrorCode::Internal)?;
        url.query_pairs_mut().append_pair("q", search);
        let path = format!("/v1/conversations/{id}/targets?{}", url.query().unwrap_or_default());
        self.call(Method::GET, &path, None::<&()>).await
    }

    /// The messages after a sequence number, one page.
    pub async fn messages(&self, id: ConversationId, after: i64) -> Result<MessagePage, Problem> {
        let path = format!("/v1/conversations/{id}/messages?after={after}&limit={PAGE}");
        self.call(Method::GET, &path, None::<&()>).await
    }

    /// The last messages before a sequence number, one page.
    pub async fn messages_before(&self, id: ConversationId, before: i64) -> Result<MessagePage, Problem> {
        let path = format!("/v1/conversations/{id}/messages?before={before}&limit={EARLIER_PAGE}");
        self.call(Method::GET, &path, None::<&()>).await
    }

    /// Writes a link into the web chat into the conversation; repeating it is harmless.
    pub async fn send_chat_link(&self, id: ConversationId, link: &MakeChatLink) -> Result<ChatLinkSent, Problem> {
        self.call(Method::POST, &format!("/v1/conversations/{id}/chat-link"), Some(link))
            .await
    }

    /// Sends a message; repeating it is harmless.
    pub async fn send_message(&self, id: ConversationId, message: &SendMessage) -> Result<Message, Problem> {
        self.call(Method::POST, &format!("/v1/conversations/{id}/messages"), Some(message))
            .await
    }

    /// Start video; repeating the command id is harmless.
    pub async fn start_video(&self, id: ConversationId, command_id: CommandId) -> Result<VideoStarted, Problem> {
        let path = format!("/v1/conversations/{id}/escalations");
        self.call(Method::POST, &path, Some(&StartVideo { command_id })).await
    }

    /// A place in the room for a desk that restarted.
    pub async fn rejoin(&self, id: EscalationId) -> Result<VideoStarted, Problem> {
        self.call(Method::POST, &format!("/v1/escalations/{id}/rejoin"), Some(&Empty {}))
            .await
    }

    /// Writes the link into the conversation once more.
    pub async fn resend(&self, id: EscalationId) -> Result<EscalationView, Problem> {
        self.call(Method::POST, &format!("/v1/escalations/{id}/resend"), Some(&Empty {}))
            .await
    }

    /// What the call was like. The same moment sent twice is kept once.
    pub async fn send_figures(&self, id: EscalationId, moments: &CallMoments) -> Result<(), Problem> {
        self.call(Method::POST, &format!("/v1/escalations/{id}/stats"), Some(moments))
            .await
    }

    /// Cancels before the customer joined, hangs up after.
    pub async fn end_video(&self, id: EscalationId) -> Result<EscalationView, Problem> {
        self.call(Method::POST, &format!("/v1/escalations/{id}/end"), Some(&Empty {}))
            .await
    }

    /// Ends a call whose media never came through.
    pub async fn fail_video(&self, id: EscalationId) -> Result<EscalationView, Problem> {
        self.call(Method::POST, &format!("/v1/escalations/{id}/fail"), Some(&Empty {}))
            .await
    }

    /// Moves to wrap-up.
    pub async fn wrap_up(&self, id: ConversationId, end_call: bool) -> Result<Conversation, Problem> {
        self.call(
            Method::POST,
            &format!("/v1/conversations/{id}/wrap-up"),
            Some(&WrapUp { end_call }),
        )
        .await
    }

    /// Closes.
    pub async fn close(&self, id: ConversationId, disposition: String) -> Result<Conversation, Problem> {
        self.call(
            Method::POST,
            &format!("/v1/conversations/{id}/close"),
            Some(&Close { disposition }),
        )
        .await
    }

    /// An authorised call; a token that died early is replaced once.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Problem> {
        parse(&self.fetch(method, path, body).await?)
    }

    /// The same as [`Api::call`], for an answer that is no JSON.
    async fn fetch(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Vec<u8>, Problem> {
        let token = self.access_token().await?;
        match self.send_raw(method.clone(), path, Some(&token), body).await {
            Err(problem) if is_final(&problem) => {
                let token = self.replace_token(&token).await?;
                self.send_raw(method, path, Some(&token), body).await
            }
            other => other,
        }
    }

    async fn token(&self, refused: Option<&str>) -> Result<String, Problem> {
        let mut slot = self.inner.tokens.lock().await;
        let Some(tokens) = slot.as_ref() else {
            return Err(ErrorCode::NotSignedIn.into());
        };
        if Instant::now() < tokens.renew_at && refused != Some(&tokens.access) {
            return Ok(tokens.access.clone());
        }
        match self.exchange(&tokens.refresh).await {
            Ok(session) => {
                self.keep(&mut slot, &session).await;
                Ok(session.access_token)
            }
            Err(problem) => {
                if is_final(&problem) {
                    *slot = None;
                    self.forget().await;
                    let _ = self.inner.lost.send(problem.clone());
                }
                Err(problem)
            }
        }
    }

    async fn exchange(&self, refresh: &str) -> Result<Session, Problem> {
        let body = Refresh {
            refresh_token: refresh.to_owned(),
        };
        self.send(Method::POST, "/v1/auth/refresh", None, &body).await
    }

    /// The new refresh token is kept before anything else, the old one is worth nothing any more; but a
    /// keyring that waits for its password does not hold up the work.
    async fn keep(&self, slot: &mut Option<Tokens>, session: &Session) {
        *slot = Some(Tokens::of(session));
        let (inner, token) = (self.inner.clone(), session.refresh_token.clone());
        let kept = tokio::spawn(async move { inner.keyring.set(&inner.kept_as, &token).await });
        let _ = timeout(KEYRING_PATIENCE, kept).await;
    }

    async fn forget(&self) {
        let inner = self.inner.clone();
        let forgotten = tokio::spawn(async move { inner.keyring.delete(&inner.kept_as).await });
        let _ = timeout(KEYRING_PATIENCE, forgotten).await;
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Problem> {
        parse(&self.send_raw(method, path, token, Some(body)).await?)
    }

    async fn send_raw(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Vec<u8>, Problem> {
        self.send_within(CALL_TIMEOUT, method, path, token, body).await
    }

    /// The same, for a route that may take longer or has to answer sooner.
    async fn send_within(
        &self,
        patience: Duration,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Vec<u8>, Problem> {
        let mut request = self.inner.http.request(method, format!("{}{path}", self.inner.base));
        request = request.timeout(patience);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }
}

/// What the server says to a request: a body, or a refusal.
async fn answer(request: reqwest::RequestBuilder) -> Result<Vec<u8>, Problem> {
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        Ok(bytes.into())
    } else {
        Err(refusal(status, &bytes))
    }
}

/// A client for the server at this address.
pub(crate) fn client(url: &reqwest::Url) -> Result<reqwest::Client, Problem> {
    let mut client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .user_agent(concat!("sightline-desk/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none());
    if url.host_str().is_some_and(is_loopback) {
        client = client.no_proxy();
    }
    if url.scheme() == "http" {
        // A bare machine has no certificates, and a server without TLS needs none.
        client = client.tls_certs_only([]);
    }
    client.build().map_err(|error| {
        tracing::error!(%error, "no HTTP client");
        Problem::new(ErrorCode::Internal).saying("The network could not be set up.")
    })
}

/// A body for routes that take none: they still want `content-type: application/json`.
#[derive(Serialize)]
struct Empty {}

/// Whether only signing in again helps.
pub(crate) fn is_final(problem: &Problem) -> bool {
    matches!(
        problem.code,
        ErrorCode::NotSignedIn | ErrorCode::SessionExpired | ErrorCode::WrongCredentials
    )
}

/// Whether the same request may well succeed later.
pub(crate) fn is_passing(problem: &Problem) -> bool {
    matches!(
        problem.code,
        ErrorCode::ServerUnreachable
            | ErrorCode::Internal
            | ErrorCode::StorageFailed
            | ErrorCode::RateLimited
            | ErrorCode::NotSignedIn
            | ErrorCode::SessionExpired
    )
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn unreachable(error: reqwest::Error) -> Problem {
    tracing::debug!(error = %error.without_url(), "a call did not reach the server");
    ErrorCode::ServerUnreachable.into()
}

fn refusal(status: StatusCode, body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        tracing::warn!(%status, "an answer without a problem in it");
        Problem::new(match status.as_u16() {
            401 => ErrorCode::NotSignedIn,
            403 => ErrorCode::NotAllowed,
            404 => ErrorCode::NotFound,
            413 => ErrorCode::TooLarge,
            429 => ErrorCode::RateLimited,
            502..=504 => ErrorCode::ServerUnreachable,
            500.. => ErrorCode::Internal,
            _ => ErrorCode::BadRequest,
        })
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // A 204 says that it is done, and nothing else.
    let body = if body.is_empty() { b"null".as_slice() } else { body };
    serde_json::from_slice(body).map_err(|error| {
        tracing::error!(%error, "an answer of another shape than expected");
        Problem::new(ErrorCode::Internal).saying("The server's answer could not be understood.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_without_a_problem_get_one_from_their_status() {
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, b"<html>").code,
            ErrorCode::ServerUnreachable
        );
        assert_eq!(refusal(StatusCode::IM_A_TEAPOT, b"").code, ErrorCode::BadRequest);
        let problem = Problem::new(ErrorCode::VideoSlotTaken);
        let body = serde_json::to_vec(&problem).unwrap();
        assert_eq!(refusal(StatusCode::CONFLICT, &body), problem);
    }

    #[test]
    fn loopback_never_goes_through_a_proxy() {
        assert!(["127.0.0.1", "localhost", "[::1]"].into_iter().all(is_loopback));
        assert!(!is_loopback("desk.example.org"));
    }
}
