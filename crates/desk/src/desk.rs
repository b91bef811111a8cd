//! The door to the controller.

use crate::{
    config::DeskConfig,
    controller::{Controller, Input},
    shell::Shell,
};
use sightline_wire::{
    ErrorCode, Problem,
    desk::{DeskCommand, StageLayout},
    ids::ConversationId,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Starts desks.
#[derive(Debug)]
pub struct Desk;

impl Desk {
    /// Starts the controller on the current tokio runtime. It ends when the last handle is dropped.
    pub fn start<S: Shell>(config: DeskConfig, shell: Arc<S>) -> DeskHandle {
        let (inputs, queue) = mpsc::unbounded_channel();
        let controller = Controller::new(config, shell.clone(), inputs.downgrade());
        tokio::spawn(controller.run(queue));
        DeskHandle {
            inputs,
            layout: Arc::new(move |layout| shell.set_layout(layout)),
        }
    }
}

/// A file that the agent has chosen, dropped or pasted.
#[derive(Clone)]
pub struct NewFile {
    /// As it is called.
    pub name: String,
    /// Media type, as the window knows it; may be empty.
    pub kind: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Talks to one controller. Cheap to clone.
#[derive(Clone)]
pub struct DeskHandle {
    inputs: mpsc::UnboundedSender<Input>,
    layout: Arc<dyn Fn(StageLayout) + Send + Sync>,
}

impl DeskHandle {
    /// Does what the window asks and answers once it is done or refused.
    pub async fn command(&self, command: DeskCommand) -> Result<(), Problem> {
        // The picture follows the page; the controller has no opinion on where.
        if let DeskCommand::Layout(layout) = command {
            (self.layout)(layout);
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        self.tell(Input::Command { command, reply });
        answer.await.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
    }

    /// Sends a file; answers once it is kept on this disk, or refused.
    pub async fn send_file(&self, conversation: ConversationId, file: NewFile) -> Result<(), Problem> {
        let (reply, answer) = oneshot::channel();
        self.tell(Input::File {
            conversation,
            file,
            reply,
        });
        answer.await.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
    }

    /// The agent wants to close the window: whether it may close now. In a call it may not, and the
    /// window is asked to confirm.
    pub async fn close_requested(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.tell(Input::CloseRequested(reply));
        answer.await.unwrap_or(true)
    }

    /// The window came to the front or left it.
    pub fn focus_changed(&self, focused: bool) {
        self.tell(Input::Focus(focused));
    }

    fn tell(&self, input: Input) {
        // A controller that is gone answers by its dropped reply.
        let _ = self.inputs.send(input);
    }
}
