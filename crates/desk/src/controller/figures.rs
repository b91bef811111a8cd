//! What a call is like, for the server to keep: a moment every so often, sent when it can be.
//!
//! Figures are worth less than messages: they wait in memory only, and when too many wait the oldest are dropped.

use super::{Controller, Input, stage::CallNews};
use crate::{api::is_passing, shell::Shell};
use sightline_wire::{
    Problem, UnixMillis,
    device::{Quality, QualityMark},
    stats::{CallMoment, CallMoments, MAX_MOMENTS, rank},
};
use std::collections::VecDeque;

/// A moment this often.
pub(super) const EVERY_MS: i64 = 15_000;

/// The figures of one call that the server does not have yet. Pure.
#[derive(Debug)]
pub(super) struct Figures {
    every_ms: i64,
    since: Option<UnixMillis>,
    worst: QualityMark,
    reason: String,
    newest: Option<Quality>,
    waiting: VecDeque<CallMoment>,
    /// How many of the oldest are on their way.
    in_flight: usize,
}

impl Figures {
    /// `every_ms`: how long a moment lasts.
    pub fn new(every_ms: i64) -> Self {
        Self {
            every_ms,
            since: None,
            worst: QualityMark::Unknown,
            reason: String::new(),
            newest: None,
            waiting: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// The figures of this second.
    pub fn note(&mut self, quality: &Quality, now: UnixMillis) {
        let since = *self.since.get_or_insert(now);
        if rank(quality.mark) > rank(self.worst) {
            self.worst = quality.mark;
            self.reason.clone_from(&quality.reason);
        }
        self.newest = Some(quality.clone());
        if now - since >= self.every_ms {
            self.close(now);
        }
    }

    /// Ends the moment that is running, because its time or the call is over.
    pub fn close(&mut self, now: UnixMillis) {
        let Some(quality) = self.newest.take() else { return };
        let worst = std::mem::replace(&mut self.worst, QualityMark::Unknown);
        self.since = Some(now);
        self.waiting.push_back(CallMoment {
            at: now,
            worst,
            reason: std::mem::take(&mut self.reason),
            quality,
        });
        while self.waiting.len() > MAX_MOMENTS && self.in_flight < self.waiting.len() {
            self.waiting.remove(self.in_flight);
        }
    }

    /// What to send now; nothing while a request is on its way.
    pub fn next_report(&mut self) -> Option<CallMoments> {
        if self.in_flight > 0 || self.waiting.is_empty() {
            return None;
        }
        self.in_flight = self.waiting.len().min(MAX_MOMENTS);
        let moments = self.waiting.iter().take(self.in_flight).cloned().collect();
        Some(CallMoments { moments })
    }

    /// The server has them, or they wait for the next moment.
    pub fn sent(&mut self, taken: bool) {
        if taken {
            self.waiting.drain(..self.in_flight);
        }
        self.in_flight = 0;
    }
}

/// Whether the server will never take them: trying again makes no sense.
fn is_final(result: &Result<(), Problem>) -> bool {
    match result {
        Ok(()) => true,
        Err(problem) => !is_passing(problem),
    }
}

impl<S: Shell> Controller<S> {
    /// The call's figures of this second.
    pub(super) fn note_figures(&mut self, quality: &Quality) {
        if let Some(stage) = &mut self.stage {
            stage.figures.note(quality, crate::now());
        }
        self.send_figures();
    }

    /// The call is over: what is known of its last seconds goes out too.
    pub(super) fn close_figures(&mut self) {
        if let Some(stage) = &mut self.stage {
            stage.figures.close(crate::now());
        }
        self.send_figures();
    }

    fn send_figures(&mut self) {
        let Ok(api) = self.client() else { return };
        let Some(stage) = &mut self.stage else { return };
        let Some(escalation) = stage.call.escalation() else {
            return;
        };
        let Some(moments) = stage.figures.next_report() else {
            return;
        };
        let (inputs, number) = (self.inputs.clone(), stage.number);
        tokio::spawn(async move {
            let result = api.send_figures(escalation, &moments).await;
            inputs.send(Input::Call(number, CallNews::FiguresSent(result)));
        });
    }

    pub(super) fn figures_sent(&mut self, result: &Result<(), Problem>) {
        if let Err(problem) = result {
            tracing::debug!(code = ?problem.code, "the call's figures were not taken");
        }
        if let Some(stage) = &mut self.stage {
            stage.figures.sent(is_final(result));
        }
        if result.is_ok() {
            self.send_figures();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(mark: QualityMark) -> Quality {
        Quality {
            mark,
            reason: format!("{mark:?}"),
            ..Quality::default()
        }
    }

    #[test]
    fn a_moment_keeps_its_worst_mark_and_waits_until_the_server_has_it() {
        let mut figures = Figures::new(EVERY_MS);
        for second in 0..=15 {
            let mark = if second == 7 {
                QualityMark::Poor
            } else {
                QualityMark::Good
            };
            assert!(figures.next_report().is_none());
            figures.note(&quality(mark), second * 1_000);
        }
        let sent = figures.next_report().expect("a moment is over");
        let first = &sent.moments[0];
        assert_eq!((first.at, first.worst), (15_000, QualityMark::Poor));
        assert_eq!(first.reason, "Poor", "why it was bad, not how it is at the end");
        assert!(figures.next_report().is_none(), "one request at a time");
        figures.sent(false);
        assert_eq!(
            figures.next_report(),
            Some(sent),
            "the same again, and the server stores it once"
        );
        figures.sent(true);
        assert!(figures.next_report().is_none());
        // The last seconds of a call count too.
        figures.note(&quality(QualityMark::Good), 16_000);
        figures.close(17_000);
        assert_eq!(figures.next_report().expect("the rest").moments[0].at, 17_000);
    }

    #[test]
    fn without_a_network_the_oldest_go_first() {
        let mut figures = Figures::new(1_000);
        figures.note(&quality(QualityMark::Good), 0);
        figures.note(&quality(QualityMark::Good), 1_000);
        let first = figures.next_report().expect("a moment");
        for second in 2..200 {
            figures.note(&quality(QualityMark::Good), second * 1_000);
        }
        figures.sent(true);
        let rest = figures.next_report().expect("the rest").moments;
        assert_eq!((first.moments[0].at, rest.len()), (1_000, MAX_MOMENTS - 1));
        assert_eq!(rest.last().map(|moment| moment.at), Some(199_000));
    }
}
