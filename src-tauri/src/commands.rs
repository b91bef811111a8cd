//! The three commands the page has.

use crate::{mailbox::Mailbox, window::MAIN};
use sightline_desk::DeskHandle;
use sightline_wire::{
    ErrorCode, Problem,
    desk::{DeskCommand, DeskEvent},
};
use std::sync::Arc;
use tauri::{State, WebviewWindow};

/// Hands the page's wish to the controller and answers when it is done or refused.
#[tauri::command]
pub async fn desk(window: WebviewWindow, handle: State<'_, DeskHandle>, command: DeskCommand) -> Result<(), Problem> {
    if window.label() != MAIN {
        return Err(ErrorCode::NotAllowed.into());
    }
    handle.command(command).await
}

/// What happens from now on is for the page with this number.
#[tauri::command]
pub async fn listen(window: WebviewWindow, mailbox: State<'_, Arc<Mailbox>>, page: u32) -> Result<(), Problem> {
    if window.label() != MAIN {
        return Err(ErrorCode::NotAllowed.into());
    }
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
    if window.label() != MAIN {
        return Err(ErrorCode::NotAllowed.into());
    }
    Ok(mailbox.take(page).await)
}
