//! The one command the page has.

use crate::window::MAIN;
use sightline_desk::DeskHandle;
use sightline_wire::{ErrorCode, Problem, desk::DeskCommand};
use tauri::{State, WebviewWindow};

/// Hands the page's wish to the controller and answers when it is done or refused.
#[tauri::command]
pub async fn desk(window: WebviewWindow, handle: State<'_, DeskHandle>, command: DeskCommand) -> Result<(), Problem> {
    if window.label() != MAIN {
        return Err(ErrorCode::NotAllowed.into());
    }
    handle.command(command).await
}
