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
    from_main(&window)?;
    handle.command(command).await
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
