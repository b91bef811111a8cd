//! The self-test in the window: when it runs, what is shown of it, and what the server hears of it.
//!
//! Devices are checked at sign-in and whenever one comes or goes, never while a call has them. What the server does not
//! hear because there is no connection is said again after the next welcome.

use super::{Controller, Input, answer};
use crate::{
    api::is_passing,
    courier::Reply,
    probe::Trust,
    selftest::{self, Progress, Running, Subject, Wish, over},
    shell::Shell,
};
use sightline_call::readiness::comes_to;
use sightline_wire::{
    ErrorCode, Problem,
    account::Role,
    desk::DeskEvent,
    device::DeviceKind,
    escalation::IceServer,
    ids::AccountId,
    readiness::{
        BoardRow, CheckKind, DeviceIdentity, Extent, Finding, MyReadiness, Narrowing, Readiness, Report, SelfTestView,
    },
};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::Duration,
};

mod save;
mod watch;

/// A headset that is plugged in appears as several devices, one after the other.
const SETTLE: Duration = Duration::from_millis(800);

/// Between two attempts to send a report to a server that is there and cannot take it.
const SEND_PAUSE: Duration = Duration::from_secs(5);

/// Reports that wait for a server; the newest ones say most.
const MOST_WAITING: usize = 10;

/// Rows of a board that come together are drawn together.
const DRAW_BOARD: Duration = Duration::from_millis(100);

/// The ways that a lost relay takes away.
const RELAYS: [CheckKind; 3] = [CheckKind::RelayUdp, CheckKind::RelayTcp, CheckKind::RelayTls];

/// What the desk knows of its own readiness.
#[derive(Default)]
pub(super) struct Testing {
    view: SelfTestView,
    shown: SelfTestView,
    running: Option<Running>,
    /// Counts tests: what an earlier one still says is nobody's.
    number: u64,
    /// Waits until nothing stands in the way.
    wanted: Option<Wish>,
    /// A supervisor waits for the one that runs.
    asked_for: bool,
    /// With everything that was done again since.
    last: Option<Report>,
    /// The server does not have them yet.
    waiting: VecDeque<Report>,
    sending: bool,
    mine: Option<MyReadiness>,
    /// Leased devices that are gone, as far as this connection has been told.
    told_gone: HashSet<(DeviceKind, String)>,
    /// This session's devices have been looked at.
    looked: bool,
    /// Counts changes of devices.
    changes: u64,
    board: Option<Board>,
    /// What the system's mixer mutes; absent before the first look.
    muted: Option<Vec<DeviceKind>>,
    /// This session's, once the server has named them.
    relays: Option<Vec<IceServer>>,
}

#[derive(Default)]
struct Board {
    rows: BTreeMap<AccountId, BoardRow>,
    /// It will be drawn in a moment.
    due: bool,
}

/// What comes back into the loop.
pub(crate) enum TestNews {
    /// Of the test with this number.
    Progress(u64, Progress),
    /// The devices have not changed since that change.
    Settled(u64),
    /// The server has taken the first report that waits in the session of that number, or not.
    Sent(u64, Result<MyReadiness, Problem>),
    SendAgain,
    Reports {
        agent: AccountId,
        reports: Vec<Report>,
        reply: Reply,
    },
    Saved {
        path: String,
        reply: Reply,
    },
    DrawBoard,
    /// Whether this session's relays have answered a question between two tests.
    Relays {
        epoch: u64,
        relays: Vec<IceServer>,
        silent: bool,
    },
}

impl<S: Shell> Controller<S> {
    pub(super) fn test_self(&mut self, extent: Extent, check: Option<CheckKind>) -> Result<(), Problem> {
        let wish = match (extent, check) {
            (Extent::Full, _) => Wish::full(),
            (Extent::Quick, _) => Wish::quick(),
            (Extent::Single, Some(kind)) => Wish::single(kind, self.testing.view.checks.clone()),
            (Extent::Single, None) => return Err(ErrorCode::BadRequest.into()),
        };
        if self.call_runs() {
            return Err(Problem::new(ErrorCode::CallLive).advising("Test when the call is over."));
        }
        if self.api.is_none() {
            return Err(ErrorCode::ServerUnreachable.into());
        }
        self.testing.asked_for = false;
        self.begin_test(wish);
        Ok(())
    }

    pub(super) fn tone_heard(&self, heard: bool) -> Result<(), Problem> {
        let running = self.testing.running.as_ref().ok_or(ErrorCode::NotFound)?;
        running.tone_heard(heard);
        Ok(())
    }

    /// What was found so far stays; it comes to nothing.
    pub(super) fn stop_test(&mut self) {
        let testing = &mut self.testing;
        testing.running = None;
        testing.wanted = None;
        testing.asked_for = false;
        testing.at_rest();
    }

    /// A call wants the devices. A test that nobody at this desk has asked for is done again after it.
    pub(super) fn make_way_for_call(&mut self) {
        let testing = &mut self.testing;
        if testing.running.take().is_none() {
            return;
        }
        testing.at_rest();
        match testing.view.extent {
            Some(Extent::Full) if testing.asked_for => testing.wanted = Some(Wish::full()),
            Some(Extent::Quick) => testing.want(Wish::quick()),
            Some(Extent::Full | Extent::Single) | None => {}
        }
    }

    /// What waited for the end of a call or of another test.
    pub(super) fn test_when_free(&mut self) {
        if self.testing.wanted.is_none() || self.testing.running.is_some() || self.call_runs() {
            return;
        }
        if self.signed_in_ref().is_ok()
            && let Some(wish) = self.testing.wanted.take()
        {
            self.begin_test(wish);
        }
    }

    fn begin_test(&mut self, wish: Wish) {
        let Some(subject) = self.subject() else { return };
        let testing = &mut self.testing;
        // The one before lets go of its devices first.
        testing.running = None;
        testing.number += 1;
        testing.at_rest();
        testing.view.extent = Some(wish.extent);
        testing.view.readiness = None;
        testing.view.finished_at = None;
        if wish.extent == Extent::Full {
            testing.view.checks.clear();
        }
        let (inputs, number) = (self.inputs.clone(), testing.number);
        testing.running = Some(selftest::start(wish, subject, move |progress| {
            inputs.send(Input::Test(TestNews::Progress(number, progress)));
        }));
    }

    fn subject(&self) -> Option<Subject> {
        let mine = self.testing.mine.as_ref();
        let lease = mine.and_then(|mine| mine.lease.as_ref());
        Some(Subject {
            api: self.api.clone()?,
            signed_in: self.signed_in_ref().is_ok(),
            trust: Trust::of_environment(),
            camera: self.settings.device(DeviceKind::Camera),
            other_cameras: self.settings.other_cameras(),
            microphone: self.settings.device(DeviceKind::Microphone),
            speaker: self.settings.device(DeviceKind::Speaker),
            before: lease.map(|lease| lease.devices.clone()).unwrap_or_default(),
            minimum_version: mine.map(|mine| mine.policy.minimum_version.clone()),
            data_dir: self.data_dir.clone(),
            keyring: self.keyring.clone(),
            max_bitrate: self
                .signed_in_ref()
                .map_or(sightline_wire::agent::DEFAULT_MAX_BITRATE, |signed_in| {
                    signed_in.max_bitrate
                }),
            painter: Some(self.shell.painter()),
            somebody_listens: self.attached,
        })
    }

    pub(super) fn test_news(&mut self, news: TestNews) {
        match news {
            TestNews::Progress(number, progress) if number == self.testing.number => self.test_progress(progress),
            // A test that was stopped, and replaced.
            TestNews::Progress(..) => {}
            TestNews::Settled(change) => {
                if change == self.testing.changes && self.signed_in_ref().is_ok() {
                    self.testing.want(Wish::quick());
                }
            }
            TestNews::Sent(epoch, result) if epoch == self.epoch => self.report_sent(result),
            TestNews::Sent(..) => {}
            TestNews::SendAgain => self.send_reports(),
            TestNews::Reports { agent, reports, reply } => {
                self.shell.emit(DeskEvent::Reports { agent, reports });
                answer(reply, Ok(()));
            }
            TestNews::Saved { path, reply } => {
                self.shell.emit(DeskEvent::Saved { path });
                answer(reply, Ok(()));
            }
            TestNews::DrawBoard => self.draw_board(),
            TestNews::Relays { epoch, relays, silent } => {
                if epoch == self.epoch {
                    self.relays_asked(relays, silent);
                }
            }
        }
    }

    fn test_progress(&mut self, progress: Progress) {
        let testing = &mut self.testing;
        if testing.running.is_none() {
            return;
        }
        let view = &mut testing.view;
        match progress {
            Progress::Running(kinds) => {
                if !kinds.contains(&CheckKind::Microphone) {
                    view.level = None;
                }
                view.running = kinds;
            }
            Progress::Done(check) => view.checks = over(&view.checks, &[check]),
            Progress::Level(level) => {
                if view.running.contains(&CheckKind::Microphone) {
                    view.level = Some(level);
                }
            }
            Progress::AsksForTone(asks) => view.asks_for_tone = asks,
            Progress::Over(report) => self.test_over(report),
        }
    }

    fn test_over(&mut self, report: Report) {
        let testing = &mut self.testing;
        testing.running = None;
        testing.asked_for = false;
        testing.at_rest();
        testing.view.finished_at = Some(report.finished_at);
        testing.last = Some(match (&testing.last, report.extent) {
            // What was done again belongs to the test before.
            (Some(last), Extent::Quick | Extent::Single) => {
                let checks = over(&last.checks, &report.checks);
                Report {
                    readiness: comes_to(&checks),
                    checks,
                    finished_at: report.finished_at,
                    ..last.clone()
                }
            }
            (Some(_), Extent::Full) | (None, _) => report.clone(),
        });
        // Devices alone come to nothing by themselves.
        testing.view.readiness = testing
            .last
            .as_ref()
            .filter(|last| last.extent == Extent::Full)
            .map(|last| last.readiness);
        tracing::info!(extent = ?report.extent, readiness = ?report.readiness, "self-test over");
        if self.signed_in_ref().is_ok() {
            let waiting = &mut self.testing.waiting;
            waiting.push_back(report);
            while waiting.len() > MOST_WAITING {
                waiting.pop_front();
            }
            self.send_reports();
        }
    }

    /// One after the other: the server takes them in the order in which they were made.
    fn send_reports(&mut self) {
        if self.testing.sending {
            return;
        }
        let (Ok(api), Some(report)) = (self.client(), self.testing.waiting.front().cloned()) else {
            return;
        };
        self.testing.sending = true;
        let (inputs, epoch, desk) = (self.inputs.clone(), self.epoch, self.settings.desk());
        tokio::spawn(async move {
            let result = api.send_report(desk, &report).await;
            inputs.send(Input::Test(TestNews::Sent(epoch, result)));
        });
    }

    fn report_sent(&mut self, result: Result<MyReadiness, Problem>) {
        self.testing.sending = false;
        match result {
            Ok(mine) => {
                self.testing.waiting.pop_front();
                self.readiness_told(mine);
                self.send_reports();
            }
            // The next welcome sends it again, and until then it is tried now and then.
            Err(problem) if is_passing(&problem) => {
                let inputs = self.inputs.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(SEND_PAUSE).await;
                    inputs.send(Input::Test(TestNews::SendAgain));
                });
            }
            Err(problem) => {
                tracing::warn!(code = ?problem.code, "the server does not take a report");
                self.testing.waiting.pop_front();
                self.send_reports();
            }
        }
    }

    /// The socket has a welcome: what was said to the one before may not have been heard.
    pub(super) fn readiness_welcomed(&mut self) {
        let testing = &mut self.testing;
        testing.told_gone.clear();
        if !std::mem::replace(&mut testing.looked, true) {
            testing.want(Wish::quick());
        }
        let watches = testing.board.is_some();
        if let Some(board) = &mut testing.board {
            board.rows.clear();
        }
        if watches && let Ok(signed_in) = self.signed_in_ref() {
            signed_in.link.watch_board(true);
        }
        self.tell_what_is_gone();
        self.send_reports();
    }

    /// What the server allows from now on.
    pub(super) fn readiness_told(&mut self, mine: MyReadiness) {
        self.testing.view.lease.clone_from(&mine.lease);
        self.testing.view.policy = Some(mine.policy.clone());
        self.testing.mine = Some(mine);
        self.tell_what_is_gone();
    }

    /// A supervisor waits for a test of this desk.
    pub(super) fn test_wanted(&mut self) {
        if self.testing.running.is_some() && self.testing.view.extent == Some(Extent::Full) {
            return;
        }
        if self.testing.running.is_some() {
            self.testing.running = None;
            self.testing.at_rest();
        }
        self.testing.wanted = Some(Wish::full());
        self.testing.asked_for = true;
    }

    /// A device came or went. The lease hears of a loss at once, and of the rest after a quick check.
    pub(super) fn devices_changed(&mut self) {
        self.tell_what_is_gone();
        let testing = &mut self.testing;
        testing.changes += 1;
        // The first list is no change; and sign-in looks at the devices anyway.
        if testing.changes == 1 || !testing.looked {
            return;
        }
        let (inputs, change) = (self.inputs.clone(), testing.changes);
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE).await;
            inputs.send(Input::Test(TestNews::Settled(change)));
        });
    }

    /// Leased devices that are not connected any more, once on each connection.
    fn tell_what_is_gone(&mut self) {
        let lease = self.testing.mine.as_ref().and_then(|mine| mine.lease.as_ref());
        let leased: Vec<DeviceIdentity> = lease.map(|lease| lease.devices.clone()).unwrap_or_default();
        let mut told = std::mem::take(&mut self.testing.told_gone);
        told.retain(|(kind, id)| self.devices.is_gone(*kind, id));
        if let Ok(signed_in) = self.signed_in_ref() {
            for device in leased {
                let DeviceIdentity { kind, id, name } = device;
                if self.devices.is_gone(kind, &id) && told.insert((kind, id)) {
                    signed_in.link.narrow(Narrowing::Unplugged { kind, name });
                }
            }
        }
        self.testing.told_gone = told;
    }

    /// None of the relays could be used in a call: whoever needs one is not reached. It is looked at again as soon as
    /// the call is over.
    pub(super) fn relay_lost(&mut self, problem: &Problem) {
        let finding = match problem.code {
            ErrorCode::RelayRefused => Finding::RelayRefused,
            _ => Finding::RelayUnreachable,
        };
        let Ok(signed_in) = self.signed_in_ref() else { return };
        for check in RELAYS {
            signed_in.link.narrow(Narrowing::Failed {
                check,
                finding: Some(finding),
            });
        }
        self.look_for_relays();
    }

    fn look_for_relays(&mut self) {
        let look = Wish {
            kinds: RELAYS.into(),
            ..Wish::single(CheckKind::RelayUdp, self.testing.view.checks.clone())
        };
        self.testing.want(look);
    }

    /// What is known here is refused here; the server asks its own lease again.
    pub(super) fn ready_for_video(&self) -> Result<(), Problem> {
        let Some(mine) = self.testing.mine.as_ref().filter(|mine| mine.policy.required) else {
            return Ok(());
        };
        match &mine.lease {
            Some(lease) if lease.readiness == Readiness::Video => Ok(()),
            Some(_) | None => Err(ErrorCode::NotReadyForVideo.into()),
        }
    }

    /// The first thing that speaks against this desk, as the server told it last.
    pub(super) fn first_narrowing(&self) -> Option<Narrowing> {
        self.testing.mine.as_ref()?.lease.as_ref()?.narrowed_by.first().cloned()
    }

    pub(super) fn watch_board(&mut self, open: bool) -> Result<(), Problem> {
        let signed_in = self.signed_in_ref()?;
        if signed_in.account.role < Role::Supervisor {
            return Err(ErrorCode::NotAllowed.into());
        }
        signed_in.link.watch_board(open);
        self.testing.board = open.then(Board::default);
        Ok(())
    }

    pub(super) fn board_changed(&mut self, row: BoardRow) {
        let Some(board) = &mut self.testing.board else { return };
        board.rows.insert(row.agent, row);
        if !std::mem::replace(&mut board.due, true) {
            let inputs = self.inputs.clone();
            tokio::spawn(async move {
                tokio::time::sleep(DRAW_BOARD).await;
                inputs.send(Input::Test(TestNews::DrawBoard));
            });
        }
    }

    fn draw_board(&mut self) {
        let Some(board) = &mut self.testing.board else { return };
        board.due = false;
        let mut rows: Vec<_> = board.rows.values().cloned().collect();
        rows.sort_by(|a, b| (&a.name, a.agent).cmp(&(&b.name, b.agent)));
        self.shell.emit(DeskEvent::Board { rows });
    }

    pub(super) fn ask_for_test(&self, agent: AccountId, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        tokio::spawn(async move { answer(reply, api.ask_for_test(agent).await) });
    }

    pub(super) fn read_reports(&self, agent: AccountId, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            match api.reports(agent).await {
                Ok(reports) => inputs.send(Input::Test(TestNews::Reports { agent, reports, reply })),
                Err(problem) => answer(reply, Err(problem)),
            }
        });
    }

    /// Somebody else may sign in here: nothing of this session's is theirs.
    pub(super) fn forget_readiness(&mut self) {
        let (number, changes) = (self.testing.number + 1, self.testing.changes);
        self.testing = Testing {
            number,
            changes,
            shown: std::mem::take(&mut self.testing.shown),
            ..Testing::default()
        };
    }

    /// Tells the window when the test looks different from what it shows.
    pub(super) fn show_test(&mut self) {
        if self.attached && self.testing.shown != self.testing.view {
            self.testing.shown.clone_from(&self.testing.view);
            self.shell.emit(DeskEvent::SelfTest {
                test: self.testing.view.clone(),
            });
        }
    }

    /// The page has loaded and knows nothing.
    pub(super) fn show_test_again(&mut self) {
        self.testing.shown.clone_from(&self.testing.view);
        self.shell.emit(DeskEvent::SelfTest {
            test: self.testing.view.clone(),
        });
        self.draw_board();
    }
}

impl Testing {
    /// Nothing runs any more.
    fn at_rest(&mut self) {
        self.view.running.clear();
        self.view.asks_for_tone = false;
        self.view.level = None;
    }

    /// Notes what is to be done when there is time; more is not pushed out by less.
    fn want(&mut self, wish: Wish) {
        let weight = |wish: &Wish| match wish.extent {
            Extent::Full => 2,
            Extent::Quick => 1,
            Extent::Single => 0,
        };
        if self
            .wanted
            .as_ref()
            .is_none_or(|wanted| weight(wanted) <= weight(&wish))
        {
            self.wanted = Some(wish);
        }
    }
}
