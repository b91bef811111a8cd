//! One bot's part of one conversation, from the first message until a person has it or the customer has gone.

use super::{
    Stir,
    ear::{Ear, Sound},
    say,
};
use crate::{
    app::{App, now},
    connectors::{
        Line,
        exchange::{CallError, Reply},
    },
    http::refusal::Refusal,
};
use sightline_connect::{
    Connector, HttpCall, Outbound, Outcome, Thread,
    directline::{DirectLine, Opened, Reading},
    patience::{Failure, Next, Patience},
};
use sightline_store::{
    StoreError,
    bot_talks::{self, Talk},
    conversations, messages,
};
use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// A chat in which nobody has said anything for so long has ended.
const ASLEEP: Duration = Duration::from_secs(3_600);

/// A connection that lasts so long works; one that breaks sooner counts as a failure.
const LASTING: Duration = Duration::from_secs(10);

/// Why a connection to the bot is over.
enum Left {
    /// The conversation is not the bot's any more, or the server stops.
    Over,
    /// The connection broke, or a stream may be tried again.
    Broken,
    /// A call came to nothing.
    Failed(Failure, String),
    /// The database does not answer.
    Store,
}

impl From<Refusal> for Left {
    fn from(refusal: Refusal) -> Self {
        tracing::error!(code = ?refusal.problem().code, "what a bot said could not be stored yet");
        Left::Store
    }
}

impl From<StoreError> for Left {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}

/// Runs until the talk has ended, or the server stops.
pub async fn run(app: &Arc<App>, mut talk: Talk, stir: &Stir) {
    let line = app.connectors.get(&talk.connector).filter(|line| line.standing.is_on());
    let Some((line, bot)) = line
        .as_ref()
        .and_then(|line| Some((line, line.connector.direct_line()?)))
    else {
        return give_up(app, &talk, "not configured any more, or switched off").await;
    };
    let mut stopping = app.stopping.clone();
    let mut patience = Patience::default();
    let mut streams = true;
    loop {
        let began = Instant::now();
        let left = tokio::select! {
            left = connected(app, (line, bot), &mut talk, stir, (&mut patience, streams)) => left,
            () = stopping.stopped() => return,
        };
        let (failure, code) = match left {
            Left::Over => {
                if let Err(refusal) = farewell(app, line, bot, &talk).await {
                    tracing::error!(code = ?refusal.problem().code, "the end of a bot's part could not be stored");
                }
                return;
            }
            Left::Broken if began.elapsed() > LASTING => {
                streams = true;
                continue;
            }
            // A stream that breaks at once would do so again.
            Left::Broken => {
                streams = false;
                continue;
            }
            Left::Store => (Failure::Silence, String::new()),
            Left::Failed(failure, code) => (failure, code),
        };
        if !code.is_empty() {
            line.standing.failed(&code);
        }
        match patience.failed(failure) {
            Next::GiveUp => return give_up(app, &talk, &code).await,
            Next::Again(pause) => tokio::select! {
                () = sleep(pause) => {}
                () = stopping.stopped() => return,
            },
        }
    }
}

async fn give_up(app: &App, talk: &Talk, why: &str) {
    tracing::warn!(conversation = %talk.conversation, connector = talk.connector, why, "a person takes over from the bot");
    while let Err(refusal) = say::given_up(app, talk).await {
        tracing::error!(code = ?refusal.problem().code, "a customer waits who cannot be handed over yet");
        let mut stopping = app.stopping.clone();
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {}
            () = stopping.stopped() => return,
        }
    }
}

/// One connection, until it breaks.
async fn connected(
    app: &Arc<App>,
    line: (&Arc<Line>, &DirectLine),
    talk: &mut Talk,
    stir: &Stir,
    how: (&mut Patience, bool),
) -> Left {
    match talking(app, line, talk, stir, how).await {
        Ok(never) => match never {},
        Err(left) => left,
    }
}

async fn talking(
    app: &Arc<App>,
    (line, bot): (&Arc<Line>, &DirectLine),
    talk: &mut Talk,
    stir: &Stir,
    (patience, streams): (&mut Patience, bool),
) -> Result<Infallible, Left> {
    if say::still(app, talk).await?.is_none() {
        return Err(Left::Over);
    }
    let resumed = talk.external.clone();
    let call = match &resumed {
        Some(external) => bot.reopen(&Thread(external.clone()), talk.watermark.as_deref()),
        None => bot.start(),
    };
    let opened = opened(app, line, call).await?;
    if resumed.is_none() {
        let mut writing = app.store.write().await?;
        bot_talks::set_external(writing.conn(), talk.conversation, &opened.thread.0).await?;
        drop(writing.commit().await?);
        talk.external = Some(opened.thread.0.clone());
    }
    let mut now_on = Connection {
        app,
        line,
        with: bot.with_token(opened.token.clone()),
        thread: Thread(talk.external.clone().unwrap_or_default()),
        reading: Reading::from(talk.watermark.clone()),
        echoed: HashSet::new(),
        spoken_at: Instant::now(),
    };
    if resumed.is_some() {
        // What was under way when we stopped may have arrived: it comes back to us, and is not sent again.
        now_on.ask(talk).await?;
    }
    let mut renew_at = due(&opened);
    let mut ear = Ear::open(opened.stream.as_deref().filter(|_| streams)).await;
    loop {
        now_on.tell(talk).await?;
        patience.worked();
        line.standing.worked();
        let idle = now_on.spoken_at + ASLEEP;
        tokio::select! {
            () = stir.changed.notified() => {
                if say::still(app, talk).await?.is_none() {
                    return Err(Left::Over);
                }
                if stir.typing.swap(false, Ordering::Relaxed)
                    && let Some(call) = now_on.with.typing(&now_on.thread)
                {
                    // Nobody misses a typing mark.
                    let _ = line.call(app.connectors.client(), call).await;
                }
            }
            sound = ear.next() => match sound {
                Sound::Frame(frame) => now_on.hear(talk, &frame).await?,
                Sound::Ask => now_on.ask(talk).await?,
                Sound::Broken | Sound::TryStream => return Err(Left::Broken),
            },
            () = sleep_until(renew_at) => {
                let renewed = self::opened(app, line, now_on.with.renew()).await?;
                now_on.with = bot.with_token(renewed.token.clone());
                renew_at = due(&renewed);
            }
            () = sleep_until(idle) => {
                say::asleep(app, talk).await?;
                return Err(Left::Over);
            }
        }
    }
}

/// When a token is renewed. One that says nothing of its end is renewed within the shortest that the service gives.
fn due(opened: &Opened) -> Instant {
    let millis = opened.renew_at.map_or(15 * 60_000, |at| (at - now()).max(1_000));
    Instant::now() + Duration::from_millis(u64::try_from(millis).unwrap_or(1_000))
}

async fn opened(app: &App, line: &Line, call: HttpCall) -> Result<Opened, Left> {
    let reply = called(app, line, call).await?;
    Opened::read(&reply.body, now()).map_err(|reject| {
        tracing::warn!(connector = line.name, %reject, "what answers there is no Direct Line");
        Left::Failed(Failure::Silence, "answer_unreadable".into())
    })
}

/// An answer that grants what was asked.
async fn called(app: &App, line: &Line, call: HttpCall) -> Result<Reply, Left> {
    let answered = line.call(app.connectors.client(), call).await;
    let reply = answered.map_err(|error: CallError| Left::Failed(Failure::Silence, error.to_string()))?;
    match line.connector.judge(reply.status, &reply.headers, &reply.body) {
        Outcome::Taken { .. } => {
            line.standing.heard();
            Ok(reply)
        }
        Outcome::Again { after } => {
            let code = if reply.status == 429 {
                "busy".into()
            } else {
                reply.status.to_string()
            };
            Err(Left::Failed(Failure::Status(reply.status, after), code))
        }
        // The bot has had it and has failed: the same words once more would not help.
        Outcome::Refused { code } if reply.status == 502 => Err(Left::Failed(Failure::Status(400, None), code)),
        Outcome::Refused { code } => {
            let code = if matches!(reply.status, 401 | 403) {
                reply.status.to_string()
            } else {
                code
            };
            Err(Left::Failed(Failure::Status(reply.status, None), code))
        }
        Outcome::WindowClosed => Err(Left::Failed(Failure::Silence, "window_closed".into())),
    }
}

/// The talk is over. A bot that has not ended it itself is told: the customer has gone, or wants to see somebody.
async fn farewell(app: &App, line: &Line, bot: &DirectLine, talk: &Talk) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let before = bot_talks::get(writing.conn(), talk.conversation).await?;
    bot_talks::end(writing.conn(), talk.conversation).await?;
    let stored = conversations::get(writing.conn(), talk.conversation).await?;
    drop(writing.commit().await?);
    let ended_itself = stored.is_some_and(|stored| stored.handoff.is_some());
    let external = before.and_then(|before| before.external);
    if let (false, Some(external)) = (ended_itself, external) {
        let thread = Thread(external);
        let client = app.connectors.client();
        // It is over for us in any case.
        if let Ok(opened) = opened(app, line, bot.reopen(&thread, None)).await {
            let _ = line.call(client, bot.with_token(opened.token).end(&thread)).await;
        }
    }
    Ok(())
}

/// A connection that works.
struct Connection<'a> {
    app: &'a Arc<App>,
    line: &'a Arc<Line>,
    with: DirectLine,
    thread: Thread,
    reading: Reading,
    /// Our own messages that have come back, by their keys.
    echoed: HashSet<String>,
    spoken_at: Instant,
}

impl Connection<'_> {
    /// Tells the bot what the customer has written since.
    async fn tell(&mut self, talk: &mut Talk) -> Result<(), Left> {
        let waiting = {
            let mut c = self.app.store.read().await?;
            messages::after(&mut c, talk.conversation, talk.told_seq, i64::MAX).await?
        };
        if waiting.is_empty() {
            return Ok(());
        }
        for message in waiting {
            let key = message.id.to_string();
            let said = say::outgoing(self.app, &talk.thread, &message).filter(|_| !self.echoed.contains(&key));
            if let Some((text, said)) = said {
                let known = say::still(self.app, talk).await?.ok_or(Left::Over)?;
                let outbound = Outbound {
                    thread: self.thread.clone(),
                    key,
                    agent: known.customer_name,
                    text,
                    link: None,
                    at: message.at,
                };
                let first = (talk.told_seq == 0).then_some(&known.context);
                called(self.app, self.line, self.with.say(&outbound, &said, first)).await?;
                self.spoken_at = Instant::now();
            }
            talk.told_seq = message.seq;
            let mut writing = self.app.store.write().await?;
            bot_talks::set_told(writing.conn(), talk.conversation, message.seq).await?;
            drop(writing.commit().await?);
        }
        Ok(())
    }

    /// Asks what the bot has said since.
    async fn ask(&mut self, talk: &mut Talk) -> Result<(), Left> {
        loop {
            let before = self.reading.watermark().map(str::to_owned);
            let reply = called(self.app, self.line, self.with.poll(&self.thread, before.as_deref())).await?;
            self.hear(talk, &reply.body).await?;
            // The service gives them in portions; an unchanged mark is the end.
            if self.reading.watermark() == before.as_deref() {
                return Ok(());
            }
        }
    }

    /// Takes a set of activities, and then keeps how far it goes: what could not be stored is read again.
    async fn hear(&mut self, talk: &mut Talk, set: &[u8]) -> Result<(), Left> {
        let mut reading = self.reading.clone();
        let heard = match reading.hear(&self.with, &self.thread, set) {
            Ok(heard) => heard,
            Err(reject) => {
                tracing::warn!(connector = self.line.name, %reject, "a frame is left out");
                return Ok(());
            }
        };
        self.line.standing.heard();
        self.echoed.extend(heard.ours);
        for event in heard.events {
            self.spoken_at = Instant::now();
            if !say::take(self.app, talk, &self.with, event).await? {
                return Err(Left::Over);
            }
        }
        let mark = reading.watermark().map(str::to_owned);
        if let Some(mark) = mark.filter(|mark| talk.watermark.as_ref() != Some(mark)) {
            let mut writing = self.app.store.write().await?;
            bot_talks::set_watermark(writing.conn(), talk.conversation, &mark).await?;
            drop(writing.commit().await?);
            talk.watermark = Some(mark);
        }
        self.reading = reading;
        Ok(())
    }
}
