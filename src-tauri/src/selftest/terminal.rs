//! What a person sees in a terminal: the progress on standard error, and at the end what to do.

use super::{Verdict, junit::finding};
use sightline_desk::selftest::{Progress as News, headless::Tested};
use sightline_wire::{
    Problem,
    readiness::{Check, CheckKind, Outcome, Readiness},
};
use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _, stderr},
    sync::{Mutex, PoisonError},
};

/// Shows what runs, where somebody can see it.
pub struct Progress {
    shown: bool,
    /// The line that is written over has something in it.
    dirty: Mutex<bool>,
}

impl Progress {
    /// On standard error, when that is a terminal.
    pub fn new() -> Self {
        Self {
            shown: stderr().is_terminal(),
            dirty: Mutex::new(false),
        }
    }

    /// Takes one piece of news.
    pub fn tell(&self, news: &News) {
        if !self.shown {
            return;
        }
        match news {
            News::Running(kinds) if kinds.is_empty() => self.line(""),
            News::Running(kinds) => {
                let names: Vec<_> = kinds.iter().copied().map(CheckKind::name).collect();
                self.line(&format!("  ... {}", names.join(", ")));
            }
            News::Done(check) => {
                self.clear();
                eprintln!("{}", line_of(check));
            }
            News::Level(_) | News::AsksForTone(_) | News::Over(_) => {}
        }
    }

    /// Leaves a clean line behind.
    pub fn clear(&self) {
        if *self.dirty.lock().unwrap_or_else(PoisonError::into_inner) {
            self.line("");
        }
    }

    /// One line that the next one is written over.
    fn line(&self, text: &str) {
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = stderr().lock();
        // A terminal that is gone is no reason to stop.
        let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
        *dirty = !text.is_empty();
    }
}

fn line_of(check: &Check) -> String {
    let word = match check.outcome {
        Outcome::Pass => "pass",
        Outcome::Skipped => "skip",
        Outcome::Warn => "WARN",
        Outcome::Fail => "FAIL",
    };
    format!("{word}  {:<12}  {}", check.kind.name(), check.sentence)
}

/// The verdict, and what speaks against it with what to do.
pub fn summary(verdict: Verdict, done: &Result<Tested, Problem>) -> String {
    let mut text = String::new();
    let tested = match done {
        Ok(tested) => tested,
        Err(problem) => {
            let _ = writeln!(text, "The self-test could not be run: {}", problem.message);
            let _ = writeln!(text, "{}", problem.next_step);
            return text;
        }
    };
    for check in &tested.report.checks {
        match check.outcome {
            Outcome::Pass | Outcome::Skipped => {}
            Outcome::Warn | Outcome::Fail => {
                let _ = writeln!(text, "{} ({})", line_of(check), finding(check));
                let _ = writeln!(text, "      {}", check.remedy);
            }
        }
    }
    if let Some(Err(problem)) = &tested.sent {
        let _ = writeln!(text, "The server did not take the report: {}", problem.message);
    }
    let headline = match (verdict, tested.report.readiness) {
        (Verdict::Ready, _) => "Ready for video.",
        (Verdict::Warnings, _) => "Ready for video, with warnings.",
        (Verdict::NotReady, Readiness::Audio) => "Ready for audio only.",
        (Verdict::NotReady, Readiness::NotReady | Readiness::Video) => "Not ready.",
        (Verdict::CouldNotRun, _) => "Not everything could be tested:",
    };
    let _ = writeln!(text, "{headline}");
    if verdict == Verdict::CouldNotRun
        && let Some(problem) = &tested.not_signed_in
    {
        let _ = writeln!(text, "{} {}", problem.message, problem.next_step);
    }
    text
}
