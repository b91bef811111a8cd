//! Sharing a screen in the call on the stage.

use super::{Controller, answer};
use crate::{courier::Reply, shell::Shell};
use sightline_call::desk_call::CallInput;
use sightline_wire::{ErrorCode, Problem, desk::DeskEvent};

impl<S: Shell> Controller<S> {
    /// Looks at every window, which takes a moment; the window gets the list when it is there.
    pub(super) fn list_screens(&self, reply: Reply) {
        let shell = self.shell.clone();
        tokio::task::spawn_blocking(move || {
            let list = sightline_media::list_screens();
            shell.emit(DeskEvent::Screens { list });
            answer(reply, Ok(()));
        });
    }

    /// Shares a source with this name, or none.
    pub(super) fn share_screen(&mut self, source: Option<(String, String)>) -> Result<(), Problem> {
        let media = self.stage.as_ref().and_then(|stage| stage.media.as_ref());
        let media = media.ok_or(ErrorCode::EscalationEnded)?;
        let (id, name) = source.unzip();
        media.share_screen(id);
        self.call_input(CallInput::Sharing(name));
        Ok(())
    }
}
