//! The four commands the page has.

use crate::{mailbox::Mailbox, window::MAIN};
use percent_encoding::percent_decode_str;
use sightline_desk::{DeskHandle, NewFile};
use sightline_wire::{
    ErrorCode, Problem,
    desk::{DeskCommand, DeskEvent},
};
use std::sync::Arc;
use tauri::{
    State, WebviewWindow,
    ipc::{InvokeBody, Request},
};

/// Hands the page's wish to the controller and answers when it is done or refused.
#[tauri::command]
pub async fn desk(window: WebviewWindow, handle: State<'_, DeskHandle>, command: DeskCommand) -> Result<(), Problem> {
    from_main(&window)?;
    handle.command(command).await
}

/// Takes a file from the page, its bytes as they are: answers once it is kept, and has not been sent by then. What it is
/// called and where it belongs stands beside it.
#[tauri::command]
pub async fn send_file(
    window: WebviewWindow,
    handle: State<'_, DeskHandle>,
    request: Request<'_>,
) -> Result<(), Problem> {
    from_main(&window)?;
    let InvokeBody::Raw(content) = request.body() else {
        return Err(ErrorCode::BadRequest.into());
    };
    let beside = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let conversation = beside("x-conversation").parse().map_err(|_| ErrorCode::BadRequest)?;
    let file = NewFile {
        // A header is ASCII, and names are not.
        name: percent_decode_str(beside("x-name")).decode_utf8_lossy().into_owned(),
        kind: beside("x-kind").to_owned(),
        content: content.clone(),
    };
    handle.send_file(conversation, file).await
}

/// What happens from now on is for the page with this number.
#[tauri::command]
pub async fn listen(window: WebviewWindow, mailbox: State<'_, Arc<Mailbox>>, page: u32) -> Result<(), Problem> {
    from_main(&window)?;
    mailbox.listen(page);
    Ok(())
}

/// What has happened for the page with this number, nothing when another one listens; answers as soon as there is something.
#[tauri::command]
pub async fn events(
    window: WebviewWindow,
    mailbox: State<'_, Arc<Mailbox>>,
    page: u32,
) -> Result<Vec<DeskEvent>, Problem> {
    from_main(&window)?;
    Ok(mailbox.take(page).await)
}

/// The page in the one window we open is the only one that may ask for anything.
fn from_main(window: &WebviewWindow) -> Result<(), Problem> {
    match window.label() {
        MAIN => Ok(()),
        _ => Err(ErrorCode::NotAllowed.into()),
    }
}
