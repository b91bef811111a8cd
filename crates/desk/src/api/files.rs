//! Files of conversations: theirs to be seen, ours to be sent.

use super::{Api, Empty, answer, is_final, parse};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{Method, header};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{FileLink, FileShown, Message, is_picture},
    desk::PendingFile,
    ids::{ClientMessageId, ConversationId, FileId},
};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// The largest file takes half a minute over a line of one megabit a second; one that has not arrived by then is tried again.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);

/// As much leaves at a time; so often the window hears how far it is.
const PIECE: usize = 128 * 1024;

impl Api {
    /// A file of a conversation: a link to it, and a picture whole.
    pub async fn file(&self, file: FileId) -> Result<FileShown, Problem> {
        let link: FileLink = self
            .call(Method::POST, &format!("/v1/files/{file}/link"), Some(&Empty {}))
            .await?;
        let picture = match is_picture(&link.kind) {
            true => {
                let bytes = self
                    .fetch(Method::GET, &format!("/v1/files/{file}"), None::<&Empty>)
                    .await?;
                Some(STANDARD.encode(bytes))
            }
            false => None,
        };
        Ok(FileShown { file, link, picture })
    }

    /// Sends a file as a message; repeating it is harmless. `sent` hears how many bytes have left.
    pub async fn send_file(
        &self,
        (conversation, id): (ConversationId, ClientMessageId),
        file: &PendingFile,
        content: Bytes,
        sent: impl Fn(u32) + Clone + Send + Sync + 'static,
    ) -> Result<Message, Problem> {
        let address = format!("{}/v1/conversations/{conversation}/files", self.inner.base);
        let mut address = reqwest::Url::parse(&address).map_err(|_| ErrorCode::Internal)?;
        address
            .query_pairs_mut()
            .append_pair("client_id", &id.to_string())
            .append_pair("name", &file.name);
        let post = async |token: &str| {
            let pieces = Pieces {
                rest: content.clone(),
                gone: 0,
                sent: sent.clone(),
            };
            let request = self.inner.http.post(address.clone()).bearer_auth(token);
            let request = request.header(header::CONTENT_TYPE, &file.kind).timeout(UPLOAD_TIMEOUT);
            answer(request.body(reqwest::Body::wrap(pieces))).await
        };
        let token = self.access_token().await?;
        let answer = match post(&token).await {
            Err(problem) if is_final(&problem) => post(&self.replace_token(&token).await?).await,
            other => other,
        };
        parse(&answer?)
    }
}

/// A file's bytes, a piece at a time.
struct Pieces<F> {
    rest: Bytes,
    gone: u32,
    sent: F,
}

// Nothing in it is pinned.
impl<F> Unpin for Pieces<F> {}

impl<F: Fn(u32)> Body for Pieces<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(size);
        (self.sent)(self.gone);
        self.gone = self.gone.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}
