//! Requests that measure the way to the server rather than ask it for something.

use super::{Api, refusal, unreachable};
use reqwest::{Method, RequestBuilder, header};
use sightline_wire::{ErrorCode, Problem, escalation::IceConfig};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A question and its answer, whatever that was.
#[derive(Debug)]
pub(crate) struct Asked {
    /// HTTP status.
    pub status: u16,
    /// The header `date`.
    pub date: Option<String>,
    /// Everything that came.
    pub body: Vec<u8>,
}

/// Bytes that came or went, and how long they took, the question's own way included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transfer {
    /// How many.
    pub bytes: usize,
    /// From the request until the last of them, or until the limit.
    pub took: Duration,
}

impl Api {
    /// Asks who is there, over a connection that stays open for the next question.
    pub(crate) async fn who(&self) -> Result<Asked, Problem> {
        let request = self.inner.http.get(format!("{}/v1/probe", self.inner.base));
        let answer = request.send().await.map_err(unreachable)?;
        let date = answer.headers().get(header::DATE);
        let date = date.and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok(Asked {
            status: answer.status().as_u16(),
            date,
            body: answer.bytes().await.map_err(unreachable)?.into(),
        })
    }

    /// Servers for ICE to try, with credentials of their own.
    pub async fn probe_ice(&self) -> Result<IceConfig, Problem> {
        self.call(Method::GET, "/v1/probe/ice", None::<&()>).await
    }

    /// Downloads so many bytes, or what comes of them within the limit.
    pub(crate) async fn download(&self, bytes: usize, limit: Duration) -> Result<Transfer, Problem> {
        let request = self
            .measured(Method::GET, &format!("/v1/probe/down?bytes={bytes}"))
            .await?;
        let begun = Instant::now();
        let end = begun + limit;
        let sent = timeout_at(end, request.send()).await;
        let mut answer = sent.map_err(|_| too_slow())?.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(refusal(answer.status(), &answer.bytes().await.map_err(unreachable)?));
        }
        let mut came = 0;
        while let Ok(piece) = timeout_at(end, answer.chunk()).await {
            match piece.map_err(unreachable)? {
                Some(piece) => came += piece.len(),
                None => break,
            }
        }
        Ok(Transfer {
            bytes: came,
            took: begun.elapsed(),
        })
    }

    /// Uploads so many bytes; one that is not over within the limit is given up and tells nothing.
    pub(crate) async fn upload(&self, bytes: usize, limit: Duration) -> Result<Transfer, Problem> {
        // Not zeros: something on the way may make them fewer.
        let noise = crate::probe::noise(bytes);
        let request = self.measured(Method::POST, "/v1/probe/up").await?.body(noise);
        let begun = Instant::now();
        let sent = timeout_at(begun + limit, request.send()).await;
        let answer = sent.map_err(|_| too_slow())?.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(refusal(answer.status(), &answer.bytes().await.map_err(unreachable)?));
        }
        Ok(Transfer {
            bytes,
            took: begun.elapsed(),
        })
    }

    async fn measured(&self, method: Method, path: &str) -> Result<RequestBuilder, Problem> {
        let token = self.access_token().await?;
        let request = self.inner.http.request(method, format!("{}{path}", self.inner.base));
        Ok(request.bearer_auth(token))
    }
}

fn too_slow() -> Problem {
    ErrorCode::ServerUnreachable.into()
}
