//! One call to a platform and its answer. Neither is logged: they hold secrets and what people wrote.

use reqwest::{Client, Method, redirect::Policy};
use sightline_connect::HttpCall;
use std::time::Duration;

/// A platform that has not answered by then is called again later.
const PATIENCE: Duration = Duration::from_secs(10);

/// A platform that cannot be connected to by then is away.
const CONNECT: Duration = Duration::from_secs(5);

/// No answer of a platform is longer.
const LONGEST: usize = 1024 * 1024;

/// What a platform answered.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nobody is there, or nobody we may speak to.
    #[error("unreachable")]
    Unreachable,
    /// Somebody is, and says nothing.
    #[error("no_answer")]
    Silent,
    /// An answer without end.
    #[error("answer_too_large")]
    TooLarge,
    /// The call itself cannot be made of the settings.
    #[error("bad_address")]
    Address,
    /// The platform's token or keys could not be had; with the status that was answered.
    #[error("sign_in_failed")]
    SignIn(u16),
}

/// For all calls to platforms. Redirects are not followed: they would carry what we sign to somebody else.
pub fn client() -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .user_agent(concat!("sightline/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Calls.
pub async fn exchange(client: &Client, call: HttpCall) -> Result<Reply, CallError> {
    let method = Method::from_bytes(call.method.as_bytes()).map_err(|_| CallError::Address)?;
    let mut request = client.request(method, &call.url);
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    if !call.body.is_empty() {
        request = request.body(call.body);
    }
    let mut response = request.send().await.map_err(|error| why(&error))?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        if body.len() + chunk.len() > LONGEST {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

fn why(error: &reqwest::Error) -> CallError {
    if error.is_builder() {
        CallError::Address
    } else if error.is_timeout() && !error.is_connect() {
        CallError::Silent
    } else {
        CallError::Unreachable
    }
}

/// A code in plain words, as far as it is one of ours.
pub fn sentence(code: &str) -> String {
    match code {
        "unreachable" => "The platform cannot be reached.".into(),
        "no_answer" => "The platform does not answer.".into(),
        "answer_too_large" => "What answers there is not the platform.".into(),
        "bad_address" => "The address in the settings is none.".into(),
        "answer_incomplete" => "What the platform answers lacks something that belongs there.".into(),
        "sms_not_sent" => "The platform took an invite and did not send it.".into(),
        "sign_in_failed" => "The platform did not let us sign in.".into(),
        "busy" => "The platform asks for patience.".into(),
        "window_closed" => "The customer has not written for too long, so the platform lets nobody write.".into(),
        "invite_over" => "The link had expired before the platform took it.".into(),
        "401" | "403" => format!("The platform refuses our sign-in ({code})."),
        "500" | "502" | "503" | "504" => format!("The platform has a fault ({code})."),
        other => format!("The platform refuses ({other})."),
    }
}
