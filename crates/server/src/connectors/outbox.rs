//! Carries what waits in the outbox to the platforms: what belongs to one thread in its order, one call at a time; threads
//! beside each other. Each connector has its own calls, so a platform that is slow, away or switched off keeps nobody
//! waiting but its own customers. A call that came to nothing is made again later, for a day; then, or when the platform refuses, it is
//! a dead letter that somebody can send again.
//!
//! A call whose answer was lost is made again with the same key. Platforms that know no such keys (Twilio, Meta, Azure) may
//! then show a message twice: the other choice would be to lose it.

use super::{
    Line,
    exchange::{CallError, Reply, sentence},
    parcels::Parcel,
};
use crate::{
    app::{App, now},
    customer::event_line,
    http::refusal::Refusal,
};
use sightline_connect::{self as connect, Connector, HttpCall, Kept, Outbound, Outcome, Thread};
use sightline_store::{
    StoreError, bot_talks, conversations,
    deliveries::{self, Delivery},
    messages,
    threads::{self, Origin},
};
use sightline_wire::{ErrorCode, UnixMillis, conversation::Context};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Calls at the same time, over one connector.
const ABREAST: usize = 16;

/// The second attempt is made after this, each further one after twice as long.
const FIRST_PAUSE_MS: i64 = 1_000;

/// No pause between attempts is longer, unless the platform asks for it.
const LONGEST_PAUSE_MS: i64 = 5 * 60_000;

/// After this long it is given up.
const GIVE_UP_MS: i64 = 24 * 3_600_000;

/// A refused sign-in is tried again this often: tokens end, and are renewed.
const SIGN_INS: u32 = 3;

/// A context that somebody else writes at the same time is read again this often.
const WRITES: usize = 4;

/// The clock is read again at least this often, in case it jumped or the machine slept.
const LONGEST_SLEEP_MS: i64 = 30_000;
const LONGEST_SLEEP: Duration = Duration::from_millis(LONGEST_SLEEP_MS.unsigned_abs());

type Head = Delivery<Parcel>;

/// What one connector is doing.
struct Lane {
    line: Arc<Line>,
    /// Threads with a call under way.
    underway: HashSet<String>,
    /// When to look for something to send.
    look_at: UnixMillis,
}

/// Calls under way, each with its connector's name and its thread.
type Calls = JoinSet<(String, String)>;

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    let lane = |line: &Arc<Line>| Lane {
        line: line.clone(),
        underway: HashSet::new(),
        look_at: 0,
    };
    let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
    let mut calls = Calls::new();
    loop {
        // Connectors come, go and change while the server runs.
        let lines = app.connectors.all();
        lanes.retain(|name, lane| !lane.underway.is_empty() || lines.iter().any(|line| line.name == *name));
        let mut wait = LONGEST_SLEEP;
        for line in &lines {
            let lane = lanes.entry(line.name.clone()).or_insert_with(|| lane(line));
            if !Arc::ptr_eq(&lane.line, line) {
                lane.line = line.clone();
                lane.look_at = 0;
            }
            wait = wait.min(look(&app, lane, &mut calls).await);
        }
        tokio::select! {
            () = stopping.stopped() => break,
            () = app.connectors.wake.notified() => lanes.values_mut().for_each(|lane| lane.look_at = 0),
            Some(done) = calls.join_next() => match done {
                Ok((connector, thread)) => {
                    if let Some(lane) = lanes.get_mut(&connector) {
                        lane.underway.remove(&thread);
                        lane.look_at = 0;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a delivery's task did not finish");
                    calls.shutdown().await;
                    for lane in lanes.values_mut() {
                        lane.underway.clear();
                        lane.look_at = 0;
                    }
                }
            },
            () = sleep(wait) => {}
        }
    }
    // Calls under way are seen to their ends: what a platform has taken is not to be sent again.
    let _ = timeout(Duration::from_secs(3), async {
        while calls.join_next().await.is_some() {}
    })
    .await;
}

/// Begins whatever a connector has to send now; how long until it is to be looked at again.
async fn look(app: &Arc<App>, lane: &mut Lane, calls: &mut Calls) -> Duration {
    let now = now();
    // Further away than anything is put off: the clock was set back.
    let early = lane.look_at > now && lane.look_at <= now + LONGEST_SLEEP_MS;
    let free = ABREAST - lane.underway.len();
    if !early && free > 0 {
        lane.look_at = match begin(app, lane, now, calls).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                now + 5_000
            }
        };
    }
    if free == 0 {
        return LONGEST_SLEEP;
    }
    Duration::from_millis(u64::try_from(lane.look_at - now).unwrap_or(0))
}

/// The same; when it is to be looked at again.
async fn begin(app: &Arc<App>, lane: &mut Lane, now: UnixMillis, calls: &mut Calls) -> Result<UnixMillis, StoreError> {
    let latest = now + LONGEST_SLEEP_MS;
    if !lane.line.standing.is_on() {
        // Switching it on wakes us.
        return Ok(latest);
    }
    let held = lane.line.standing.held_until();
    if held > now {
        return Ok(held.min(latest));
    }
    let mut c = app.store.read().await?;
    // Those under way are among them, so that as many as there is room for are left.
    for head in deliveries::due(&mut c, &lane.line.name, now, ABREAST).await? {
        if lane.underway.len() < ABREAST && lane.underway.insert(head.thread.clone()) {
            calls.spawn(carry(app.clone(), lane.line.clone(), head));
        }
    }
    let next = deliveries::next_due(&mut c, &lane.line.name, now).await?;
    Ok(next.map_or(latest, |next| next.min(latest)))
}

async fn carry(app: Arc<App>, line: Arc<Line>, head: Head) -> (String, String) {
    let done = (line.name.clone(), head.thread.clone());
    sleep(line.standing.place_in_row()).await;
    if let Err(refusal) = deliver(&app, &line, head).await {
        let code = refusal.into_problem().code;
        tracing::error!(?code, "a delivery could not be written down");
        sleep(Duration::from_secs(1)).await;
    }
    done
}

/// One attempt, and what it came to.
async fn deliver(app: &App, line: &Line, head: Head) -> Result<(), Refusal> {
    let (external, context) = {
        let mut c = app.store.read().await?;
        let thread = threads::get(&mut c, &head.thread).await?.ok_or(ErrorCode::Internal)?;
        let external = match thread.origin {
            Origin::Platform { external, .. } => external,
            Origin::Page => {
                let talk = bot_talks::get(&mut c, head.conversation).await?;
                talk.and_then(|talk| talk.external).ok_or(ErrorCode::Internal)?
            }
        };
        let stored = conversations::get(&mut c, head.conversation)
            .await?
            .ok_or(ErrorCode::Internal)?;
        let mut context = thread.context;
        context.extend(stored.context);
        (Thread(external), context)
    };
    if let Parcel::Invite { until, .. } = &head.parcel
        && *until <= now()
    {
        return given_up(app, line, &head, "invite_over").await;
    }
    let answered = attempt(app, line, &external, &context, &head).await;
    let outcome = match &answered {
        Ok(None) => Outcome::Taken { id: None },
        Ok(Some(reply)) => judged(line, reply, head.attempts),
        Err(error) => {
            line.standing.failed(&error.to_string());
            Outcome::Again { after: None }
        }
    };
    match outcome {
        Outcome::Taken { id } => {
            line.standing.worked();
            let learnt = match &answered {
                Ok(Some(reply)) => line.connector.learn(&reply.body),
                Ok(None) | Err(_) => Context::new(),
            };
            taken(app, &head, id.as_deref(), learnt).await
        }
        Outcome::Again { after } => {
            let code = match &answered {
                Ok(Some(reply)) => match reply.status {
                    200..=299 => "not_now".to_owned(),
                    429 => "busy".to_owned(),
                    status => status.to_string(),
                },
                Ok(None) => "not_now".to_owned(),
                Err(error) => error.to_string(),
            };
            again(app, line, &head, &code, after).await
        }
        Outcome::WindowClosed => window_closed(app, line, &head).await,
        Outcome::Refused { code } => given_up(app, line, &head, &code).await,
    }
}

fn judged(line: &Line, reply: &Reply, attempts: u32) -> Outcome {
    match line.connector.judge(reply.status, &reply.headers, &reply.body) {
        Outcome::Refused { code } if reply.status == 401 => {
            line.standing.failed(&reply.status.to_string());
            if attempts < SIGN_INS {
                Outcome::Again { after: None }
            } else {
                Outcome::Refused { code }
            }
        }
        outcome => outcome,
    }
}

/// Calls the platform; `None` where it has no such thing to be called for.
async fn attempt(
    app: &App,
    line: &Line,
    thread: &Thread,
    context: &Context,
    head: &Head,
) -> Result<Option<Reply>, CallError> {
    let client = app.connectors.client();
    line.prepare(client).await?;
    let connector = &line.connector;
    let outbound = |agent: &str, text: &str, link: Option<&String>, at| Outbound {
        thread: thread.clone(),
        key: head.id.to_string(),
        agent: agent.to_owned(),
        text: text.to_owned(),
        link: link.cloned(),
        at,
    };
    let call = match &head.parcel {
        Parcel::Message { agent, text, at } => Some(connector.send(&outbound(agent, text, None, *at))),
        Parcel::Invite {
            agent,
            text,
            link,
            at,
            template,
            ..
        } => {
            let invite = outbound(agent, text, Some(link), *at);
            match template {
                true => connector.send_template(&invite),
                false => Some(connector.send(&invite)),
            }
        }
        Parcel::Context { context: new } => {
            let mut last = None;
            for keeper in connector.keepers(thread, context) {
                last = match connector.set_context(&keeper, new) {
                    Some(call) => Some(line.call(client, call).await?),
                    None => merged(line, client, &keeper, context, new).await?,
                };
                if last.as_ref().is_some_and(|reply| !(200..300).contains(&reply.status)) {
                    break;
                }
            }
            return Ok(last);
        }
        Parcel::Handoff { state } => match connector.direct_line() {
            // The service takes it with the conversation's own token only, which is kept nowhere.
            Some(bot) => {
                let reply = line.call(client, bot.reopen(thread, None)).await?;
                match connect::directline::Opened::read(&reply.body, now()) {
                    Ok(opened) => bot.with_token(opened.token).handoff(thread, &state.state()),
                    Err(_) if (200..300).contains(&reply.status) => return Err(CallError::Silent),
                    Err(_) => return Ok(Some(reply)),
                }
            }
            None => connector.handoff(thread, &state.state()),
        },
        Parcel::Receipt { id, read, at } => {
            let delivery = match read {
                true => connect::Delivery::Read,
                false => connect::Delivery::Delivered,
            };
            connector.receipt(thread, id, &delivery, *at)
        }
    };
    match call {
        Some(call) => line.call(client, call).await.map(Some),
        None => Ok(None),
    }
}

/// Reads what the platform keeps and writes it with what is new, until nobody has written in between.
async fn merged(
    line: &Line,
    client: &reqwest::Client,
    thread: &Thread,
    known: &Context,
    new: &Context,
) -> Result<Option<Reply>, CallError> {
    let mut last = None;
    for _ in 0..WRITES {
        let Some(read) = line.connector.read_context(thread, known) else {
            return Ok(None);
        };
        let kept = line.call(client, read).await?;
        if !(200..300).contains(&kept.status) {
            return Ok(Some(kept));
        }
        let whole = Kept {
            headers: &kept.headers,
            body: &kept.body,
        };
        let write: Option<HttpCall> = match line.connector.write_context(thread, whole, new) {
            Ok(write) => write,
            Err(reject) => {
                tracing::warn!(connector = line.name, %reject, "what is kept there cannot be read, so it is left alone");
                return Ok(None);
            }
        };
        let Some(write) = write else { return Ok(None) };
        let reply = line.call(client, write).await?;
        let outcome = line.connector.judge(reply.status, &reply.headers, &reply.body);
        let raced = matches!(outcome, Outcome::Again { after: None }) && reply.status == 412;
        last = Some(reply);
        if !raced {
            break;
        }
    }
    Ok(last)
}

async fn taken(app: &App, head: &Head, id: Option<&str>, learnt: Context) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    deliveries::sent(c, head.number, id, now()).await?;
    if !learnt.is_empty()
        && let Some(thread) = threads::get(c, &head.thread).await?
    {
        let mut context = thread.context;
        context.extend(learnt);
        threads::set_context(c, &head.thread, &context).await?;
    }
    drop(writing.commit().await?);
    Ok(())
}

async fn again(app: &App, line: &Line, head: &Head, code: &str, after: Option<Duration>) -> Result<(), Refusal> {
    if now() - head.created_at > GIVE_UP_MS {
        return given_up(app, line, head, code).await;
    }
    if let Some(after) = after {
        // Patience is asked of the whole connector.
        line.standing.hold(after);
    }
    line.standing.failed(code);
    let pause = FIRST_PAUSE_MS
        .saturating_mul(1_i64.checked_shl(head.attempts).unwrap_or(i64::MAX))
        .min(LONGEST_PAUSE_MS);
    let asked = after.map_or(0, |after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    let due_at = now().saturating_add(pause.max(asked).max(0));
    let mut writing = app.store.write().await?;
    deliveries::again(writing.conn(), head.number, due_at, code).await?;
    drop(writing.commit().await?);
    Ok(())
}

/// The platform lets nobody write freely any more: an invite goes by template where there is one.
pub async fn window_closed(app: &App, line: &Line, head: &Head) -> Result<(), Refusal> {
    let mut by_template = head.parcel.clone();
    if let Parcel::Invite { template, .. } = &mut by_template
        && !*template
    {
        *template = true;
        let mut writing = app.store.write().await?;
        deliveries::instead(writing.conn(), head.number, &by_template, now()).await?;
        drop(writing.commit().await?);
        app.connectors.wake.notify_one();
        return Ok(());
    }
    given_up(app, line, head, "window_closed").await
}

/// It will not arrive: whoever looks after the conversation reads so in its history.
pub async fn given_up(app: &App, line: &Line, head: &Head, code: &str) -> Result<(), Refusal> {
    tracing::warn!(connector = line.name, conversation = %head.conversation, code, kind = ?head.parcel.kind(), "given up");
    let mut writing = app.store.write().await?;
    deliveries::dead(writing.conn(), head.number, code, now()).await?;
    let said = match &head.parcel {
        Parcel::Message { .. } => "A message did not reach the customer.",
        Parcel::Invite { .. } => "The link to the video call did not reach the customer.",
        Parcel::Handoff { .. } | Parcel::Context { .. } | Parcel::Receipt { .. } => {
            drop(writing.commit().await?);
            return Ok(());
        }
    };
    let stored = conversations::get(writing.conn(), head.conversation)
        .await?
        .ok_or(ErrorCode::Internal)?;
    let text = format!("{said} {}", sentence(code));
    let line = messages::append(writing.conn(), event_line(head.conversation, text, now())).await?;
    app.settle(writing, head.conversation, stored.state, vec![line]).await?;
    Ok(())
}
