//! `/v1/hooks/{connector}`: what platforms call. Nothing is believed that is not signed as agreed, and nothing signed is
//! carried out twice.

use super::{Line, inbound};
use crate::{
    app::{App, now},
    http::{
        body::Id,
        refusal::{Refusal, to_the_end},
    },
};
use axum::{
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use sightline_connect::{Answer, Inbound, Received, Reject, Request};
use sightline_store::connectors;
use sightline_wire::ErrorCode;
use std::sync::Arc;

/// A transcript of a bot fits.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// A request is known again for so long; platforms give up long before.
const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// Any method: each platform has its own way to ask whether we are who it thinks.
pub async fn receive(
    State(app): State<Arc<App>>,
    Id(name): Id<String>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let line = app.connectors.get(&name).ok_or(ErrorCode::NotFound)?;
    if !line.standing.is_on() {
        // The platform tries again, and nothing is lost if that is soon.
        return Ok((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")]).into_response());
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let call = Call {
        method: method.as_str().to_owned(),
        url: format!("{}{path}", app.public_url),
        headers: headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body,
    };
    let received = match believe(&app, &line, &call).await {
        Ok(received) => received,
        Err(reject) => {
            tracing::warn!(connector = name, %reject, "a call was not believed");
            let status = match reject {
                Reject::Unsigned | Reject::WrongSignature | Reject::Stale => StatusCode::UNAUTHORIZED,
                Reject::Malformed(_) => StatusCode::BAD_REQUEST,
                Reject::NoKeys => {
                    let later = [(header::RETRY_AFTER, "10")];
                    return Ok((StatusCode::SERVICE_UNAVAILABLE, later).into_response());
                }
            };
            return Ok(status.into_response());
        }
    };
    line.standing.heard();
    let answer = received.answer.clone();
    to_the_end(async move { carry_out(&app, &line, &call, received.events).await }).await?;
    Ok(match answer {
        Answer::Accepted => StatusCode::OK.into_response(),
        Answer::Challenge { media_type, body } => ([(header::CONTENT_TYPE, media_type)], body).into_response(),
        Answer::Headers(headers) => {
            let mut response = StatusCode::OK.into_response();
            for (name, value) in headers {
                if let Ok(value) = value.parse() {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
    })
}

/// A request that outlives its handler.
struct Call {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Call {
    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
            body: &self.body,
            at: now(),
        }
    }

    /// The same for every copy of it: what is signed, and the signatures.
    fn digest(&self, connector: &str) -> String {
        let mut hash = Sha256::new();
        for part in [connector, &self.method, &self.url] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for (name, value) in &self.headers {
            if name.contains("signature") || name.contains("timestamp") {
                hash.update(name.as_bytes());
                hash.update(value.as_bytes());
                hash.update([0]);
            }
        }
        hash.update(&self.body);
        hex(&hash.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Verifies and reads. A signature by a key that is not known yet is looked at once more with the platform's newest keys.
async fn believe(app: &App, line: &Line, call: &Call) -> Result<Received, Reject> {
    let read = || {
        let verified = line.connector.verify(call.request())?;
        line.connector.read(verified)
    };
    let reject = match read() {
        Ok(received) => return Ok(received),
        Err(reject @ (Reject::Unsigned | Reject::Malformed(_))) => return Err(reject),
        Err(reject @ (Reject::WrongSignature | Reject::Stale | Reject::NoKeys)) => reject,
    };
    match line.prepare(app.connectors.client()).await {
        // Also where there was nothing to fetch: while we waited somebody else may have brought it.
        Ok(()) => read(),
        Err(error) => {
            line.standing.failed(&error.to_string());
            Err(reject)
        }
    }
}

async fn carry_out(app: &Arc<App>, line: &Line, call: &Call, events: Vec<Inbound>) -> Result<(), Refusal> {
    // Who is writing says so again and again in the same words, and it does no harm.
    let lasting = events.iter().any(|event| !matches!(event, Inbound::Typing { .. }));
    if !lasting {
        for event in events {
            inbound::take(app, line, event).await?;
        }
        return Ok(());
    }
    let digest = call.digest(&line.name);
    {
        let mut c = app.store.read().await?;
        if connectors::carried_out(&mut c, &digest).await? {
            tracing::info!(connector = line.name, "a call came again");
            return Ok(());
        }
    }
    for event in events {
        inbound::take(app, line, event).await?;
    }
    let mut writing = app.store.write().await?;
    connectors::carry_out(writing.conn(), &digest, now(), now() - REMEMBERED_MS).await?;
    drop(writing.commit().await?);
    Ok(())
}
