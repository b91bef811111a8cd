//! What the call on the stage says, carried out.

use super::{Controller, stage::with};
use crate::{courier::Reply, outbox::Ending, room::RoomLine, shell::Shell};
use sightline_call::desk_call::CallEffect;
use sightline_wire::{ErrorCode, ids::EscalationId, room::RoomRequest};

impl<S: Shell> Controller<S> {
    pub(super) fn carry_out(&mut self, effects: Vec<CallEffect>) {
        for effect in effects {
            let Some(stage) = &mut self.stage else { return };
            match effect {
                CallEffect::MakeOffer(negotiation, policy) => {
                    with(&stage.media, |media| media.offer_with(negotiation, policy));
                }
                CallEffect::AcceptAnswer { negotiation, sdp } => {
                    with(&stage.media, |media| media.answer(negotiation, sdp));
                }
                CallEffect::AddCandidate { negotiation, candidate } => {
                    with(&stage.media, |media| media.remote_candidate(negotiation, candidate));
                }
                CallEffect::Admit(negotiation) => with(&stage.media, |media| media.admit(negotiation)),
                CallEffect::Cut(negotiation) => with(&stage.media, |media| media.cut(negotiation)),
                CallEffect::RemoteMedia(state) => with(&stage.media, |media| media.remote_media(state)),
                CallEffect::SendOffer(offer) => with(&stage.room, |room| room.send(RoomRequest::Offer(offer))),
                CallEffect::SendCandidate { negotiation, candidate } => with(&stage.room, |room| {
                    room.send(RoomRequest::Candidate { negotiation, candidate });
                }),
                CallEffect::CheckRoom => {
                    with(&stage.room, RoomLine::check);
                    if let Ok(signed_in) = self.signed_in_ref() {
                        signed_in.link.check();
                    }
                }
                CallEffect::SendMedia(state) => with(&stage.room, |room| room.send(RoomRequest::Media(state))),
                CallEffect::TellAttempt(attempt) => {
                    with(&stage.room, |room| room.send(RoomRequest::Attempt { attempt }));
                }
                CallEffect::SetCamera(on) => with(&stage.media, |media| media.set_camera(on)),
                CallEffect::TellFlowing => with(&stage.room, |room| room.send(RoomRequest::MediaFlowing)),
                CallEffect::StopMedia => {
                    self.close_figures();
                    let Some(stage) = &mut self.stage else { return };
                    if let Some(media) = stage.media.take() {
                        tokio::task::spawn_blocking(move || drop(media));
                    }
                }
                CallEffect::LeaveRoom => {
                    if let Some(room) = stage.room.take() {
                        room.send(RoomRequest::Leave);
                    }
                }
                CallEffect::CloseRoom => drop(stage.room.take()),
                CallEffect::EndOnServer(escalation) => self.over_on_server(escalation, Ending::HungUp, None),
                CallEffect::FailOnServer(escalation) => {
                    tracing::warn!(%escalation, code = ?ErrorCode::MediaTimeout, "back to the chat");
                    self.over_on_server(escalation, Ending::Failed, None);
                }
            }
        }
    }

    /// Kept on disk until the server knows; `told` hears when it does.
    pub(super) fn over_on_server(&mut self, escalation: EscalationId, ending: Ending, told: Option<Reply>) {
        if let Ok(signed_in) = self.signed_in_mut() {
            signed_in.inbox.over.get_or_insert_default().insert(escalation);
            signed_in.courier.hang_up(escalation, ending, told);
        }
    }
}
