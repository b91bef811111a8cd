//! How an error leaves the server: a `Problem` with its code's status. Detail goes to the log.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sightline_store::StoreError;
use sightline_wire::{ErrorCode, Problem};

/// Goes with the answer, for whoever has to say the same in other words.
#[derive(Debug, Clone)]
pub struct Told(pub Box<Problem>);

/// A request that is not granted.
#[derive(Debug)]
pub struct Refusal {
    problem: Box<Problem>,
    status: u16,
}

impl Refusal {
    /// Answers with another status than the code's own; Direct Line's clients expect 403 for an old token.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// What it says.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What a socket sends.
    pub fn into_problem(self) -> Problem {
        *self.problem
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.code.status(),
            problem: Box::new(problem),
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Problem::new(code).into()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database refused");
        error.code().into()
    }
}

impl From<tokio::task::JoinError> for Refusal {
    fn from(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "a request's task did not finish");
        ErrorCode::Internal.into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.problem)).into_response();
        response.extensions_mut().insert(Told(self.problem));
        response
    }
}

/// Runs a change to its end even when the client hangs up meanwhile: between a commit and its announcement
/// nothing may be dropped.
pub async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(change).await?
}
