//! What a room does with the frames of its two sides: offers, answers, candidates, media, the end.

use super::room::{Room, side_of};
use crate::escalations;
use sightline_store::rooms::StoredRoom;
use sightline_wire::{
    ErrorCode,
    room::{Offer, Party, RoomEvent, RoomRequest},
};

/// Candidates kept per side for a peer that is not there at the moment.
const KEPT_CANDIDATES: usize = 64;

impl Room {
    /// A frame of the socket that holds the party's seat.
    pub async fn frame(&mut self, party: Party, request: RoomRequest) {
        match request {
            RoomRequest::Heartbeat => {}
            // Ahead of the tap a page may connect, and nothing else.
            RoomRequest::Media(_) | RoomRequest::MediaFlowing | RoomRequest::Leave if self.is_warm(party) => {
                self.refuse(party, ErrorCode::BadRequest);
            }
            RoomRequest::Join => match party {
                Party::Customer => self.join().await,
                Party::Agent => self.refuse(party, ErrorCode::BadRequest),
            },
            RoomRequest::Hello { .. } => self.refuse(party, ErrorCode::BadRequest),
            RoomRequest::Offer(offer) => match party {
                Party::Agent => self.offer(offer).await,
                Party::Customer => self.refuse(party, ErrorCode::BadRequest),
            },
            RoomRequest::Attempt { attempt } => match party {
                Party::Agent => self.tell(Party::Customer, RoomEvent::Attempt { attempt }),
                Party::Customer => self.refuse(party, ErrorCode::BadRequest),
            },
            RoomRequest::Answer { negotiation, sdp } => match party {
                Party::Customer => self.answer(negotiation, sdp).await,
                Party::Agent => self.refuse(party, ErrorCode::BadRequest),
            },
            RoomRequest::Candidate { negotiation, candidate } => {
                if self.current() == Some(negotiation) {
                    let kept = &mut self.side_mut(party).candidates;
                    if kept.len() < KEPT_CANDIDATES && !kept.contains(&candidate) {
                        kept.push(candidate.clone());
                    }
                    self.tell(party.other(), RoomEvent::Candidate { negotiation, candidate });
                }
            }
            RoomRequest::Media(media) => {
                let mut next = self.stored.clone();
                side_of(&mut next, party).media = media;
                if self.keep(party, next).await {
                    self.tell(party.other(), RoomEvent::Media(media));
                }
            }
            RoomRequest::MediaFlowing => {
                if let Err(refusal) = escalations::media_flows(&self.app, self.call.id).await {
                    self.send_problem(party, refusal);
                }
            }
            RoomRequest::Leave => {
                if let Err(refusal) = escalations::over_by(&self.app, self.call.id, party).await {
                    self.send_problem(party, refusal);
                }
            }
        }
    }

    /// A new offer replaces the old one. An identical one comes from a desk that has no answer: either the
    /// customer has not answered, or the answer got lost on its way.
    async fn offer(&mut self, offer: Offer) {
        if self.stored.offer.as_ref() == Some(&offer) {
            if let Some(sdp) = self.stored.answer.clone() {
                let negotiation = offer.negotiation;
                self.tell(Party::Agent, RoomEvent::Answer { negotiation, sdp });
            }
            return;
        }
        if self.current().is_some_and(|current| offer.negotiation <= current) {
            return;
        }
        let next = StoredRoom {
            offer: Some(offer.clone()),
            answer: None,
            ..self.stored.clone()
        };
        if self.keep(Party::Agent, next).await {
            self.agent.candidates.clear();
            self.customer.candidates.clear();
            self.tell(Party::Customer, RoomEvent::Offer(offer));
        }
    }

    async fn answer(&mut self, negotiation: u32, sdp: String) {
        if self.current() != Some(negotiation) {
            return;
        }
        let next = StoredRoom {
            answer: Some(sdp.clone()),
            ..self.stored.clone()
        };
        if self.keep(Party::Customer, next).await {
            self.tell(Party::Agent, RoomEvent::Answer { negotiation, sdp });
        }
    }
}
