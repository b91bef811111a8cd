//! Errors in the shape that Direct Line's clients read, `{"error": {"code", "message"}}`, beside our own.

use crate::http::refusal::Told;
use axum::{body::Body, http::header, response::Response};
use serde_json::json;
use sightline_wire::{ErrorCode, Problem};

/// Adds theirs to an answer that is one of our refusals.
pub async fn in_their_shape(response: Response) -> Response {
    let Some(Told(problem)) = response.extensions().get::<Told>().cloned() else {
        return response;
    };
    let mut both = json!(*problem);
    both["error"] = json!({ "code": code(&problem), "message": problem.message });
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(both.to_string()))
}

/// Their word for it.
fn code(problem: &Problem) -> &'static str {
    match problem.code {
        ErrorCode::SessionExpired => "TokenExpired",
        ErrorCode::EmptyMessage => "MissingProperty",
        ErrorCode::TooLarge | ErrorCode::MessageTooLong | ErrorCode::FileTooLarge => "MessageSizeTooBig",
        ErrorCode::FileRefused => "NotSupported",
        ErrorCode::NotFound => "NotFound",
        ErrorCode::NotSignedIn | ErrorCode::NotAllowed | ErrorCode::ForeignOrigin => "NotAllowed",
        other if other.status() >= 500 => "ServiceError",
        _ => "BadArgument",
    }
}
