//! Between two tests: what breaks although no device comes or goes. The system's mixer mutes the microphone, and the
//! relays answer no more.

use super::{Controller, Input, RELAYS, TestNews};
use crate::{selftest::Wish, shell::Shell};
use sightline_media::measure;
use sightline_wire::{device::DeviceKind, escalation::IceServer, readiness::Narrowing};
use std::time::Duration;

/// Relays on the other side of the world have answered by then, also when two packets were lost.
const ANSWER: Duration = Duration::from_secs(3);

impl<S: Shell> Controller<S> {
    /// What the mixer mutes at the moment. A switch that was turned is worth a quick check, whichever way.
    pub(in crate::controller) fn muted_by_system(&mut self, muted: Vec<DeviceKind>) {
        let testing = &mut self.testing;
        let before = testing.muted.replace(muted);
        // The first look is no change; and sign-in looks at the devices anyway.
        if before.is_some() && before != testing.muted && testing.looked {
            testing.want(Wish::quick());
        }
    }

    /// Asks the relays for a sign of life: one datagram each, and no relayed address. Where a relay is what the lease
    /// lacks they are tried for real: what was taken away by itself is given back by itself.
    pub(in crate::controller) fn ask_relays(&mut self) {
        let mine = self.testing.mine.as_ref();
        let Some(lease) = mine.and_then(|mine| mine.lease.as_ref()) else {
            return;
        };
        if self.testing.running.is_some() || self.call_runs() {
            return;
        }
        let is_relay = |why: &Narrowing| matches!(why, Narrowing::Failed { check, .. } if RELAYS.contains(check));
        if lease.narrowed_by.iter().any(is_relay) {
            return self.look_for_relays();
        }
        let Ok(api) = self.client() else { return };
        let (inputs, epoch, known) = (self.inputs.clone(), self.epoch, self.testing.relays.clone());
        tokio::spawn(async move {
            let relays = match known {
                Some(relays) => relays,
                None => match api.probe_ice().await {
                    Ok(ice) => ice.servers,
                    // That the server cannot be reached is said elsewhere.
                    Err(_) => return,
                },
            };
            let answer = measure::stun(&relays, ANSWER).await;
            inputs.send(Input::Test(TestNews::Relays {
                epoch,
                relays,
                silent: answer.servers > 0 && answer.answered == 0,
            }));
        });
    }

    /// Silence alone is no proof, where only TCP gets through: each way is tried before the lease hears of it.
    pub(super) fn relays_asked(&mut self, relays: Vec<IceServer>, silent: bool) {
        // Silent ones may have moved: they are asked for anew.
        self.testing.relays = (!silent).then_some(relays);
        if silent {
            self.look_for_relays();
        }
    }
}
