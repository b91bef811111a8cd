//! What an admin sees of connectors and does with them, and dead letters. Nothing of it is kept here: the window asks
//! again while it shows them.

use super::{
    Controller, Input, answer,
    session::{Answer, SessionInput},
};
use crate::{api::Api, courier::Reply, shell::Shell};
use sightline_wire::{
    ErrorCode, Problem,
    connectors::SaveConnector,
    desk::{DeskEvent, MOST_LOOKED_UP},
    ids::{ConversationId, DeliveryId, FileId},
};

impl<S: Shell> Controller<S> {
    pub(super) fn read_connectors(&self, reply: Reply) {
        let read = |api: Api| async move {
            let connectors = api.connectors().await?;
            Ok(DeskEvent::Connectors { connectors })
        };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn test_connector(&self, connector: String, reply: Reply) {
        let test = |api: Api| async move {
            let test = api.test_connector(&connector).await?;
            let at = crate::now();
            Ok(DeskEvent::ConnectorTested { connector, test, at })
        };
        self.ask(reply, test, Answer::Shown);
    }

    pub(super) fn switch_connector(&self, connector: String, on: bool, reply: Reply) {
        let switch = move |api: Api| async move {
            let connectors = api.switch_connector(&connector, on).await?;
            Ok(DeskEvent::Connectors { connectors })
        };
        self.ask(reply, switch, Answer::Shown);
    }

    pub(super) fn read_connector_kinds(&self, reply: Reply) {
        let read = |api: Api| async move {
            let kinds = api.connector_kinds().await?;
            Ok(DeskEvent::ConnectorKinds { kinds })
        };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn save_connector(&self, connector: String, settings: SaveConnector, reply: Reply) {
        if let Err(problem) = is_name(&connector) {
            return answer(reply, Err(problem));
        }
        let save = move |api: Api| async move {
            let connectors = api.save_connector(&connector, &settings).await?;
            Ok(DeskEvent::Connectors { connectors })
        };
        self.ask(reply, save, Answer::Shown);
    }

    pub(super) fn remove_connector(&self, connector: String, reply: Reply) {
        let remove = move |api: Api| async move {
            let connectors = api.remove_connector(&connector).await?;
            Ok(DeskEvent::Connectors { connectors })
        };
        self.ask(reply, remove, Answer::Shown);
    }

    pub(super) fn read_file(&self, file: FileId, reply: Reply) {
        let read = move |api: Api| async move { Ok(DeskEvent::File(api.file(file).await?)) };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn read_dead_letters(&self, reply: Reply) {
        let read = |api: Api| async move {
            let letters = api.dead_letters().await?;
            Ok(DeskEvent::DeadLetters { letters })
        };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn resend_letter(&self, letter: DeliveryId, reply: Reply) {
        match self.client() {
            Ok(api) => drop(tokio::spawn(async move {
                answer(reply, api.resend_letter(letter).await);
            })),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn discard_letter(&self, letter: DeliveryId, reply: Reply) {
        match self.client() {
            Ok(api) => drop(tokio::spawn(async move {
                answer(reply, api.discard_letter(letter).await);
            })),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    /// One after the other, for people to read; one that cannot be read is left out.
    pub(super) fn read_conversations(&self, mut wanted: Vec<ConversationId>, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        wanted.truncate(MOST_LOOKED_UP);
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            for id in wanted {
                match api.conversation(id).await {
                    Ok(found) => {
                        let answer = Answer::Shown(Box::new(DeskEvent::Conversation { conversation: found }));
                        let told = SessionInput::Answer { answer, reply: None };
                        inputs.send(Input::Session(epoch, told));
                    }
                    Err(problem) if problem.code == ErrorCode::ServerUnreachable => {
                        return answer(reply, Err(problem));
                    }
                    Err(problem) => tracing::info!(code = ?problem.code, "a conversation could not be looked up"),
                }
            }
            answer(reply, Ok(()));
        });
    }
}

/// A name is part of an address, so what is none never becomes one.
fn is_name(name: &str) -> Result<(), Problem> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(letter) {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::SettingsRefused).saying("A name has letters, digits, - and _ only."))
}
