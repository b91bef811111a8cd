//! A customer's page that was opened by a link into the chat: the conversation begins at once, with what the link says.
//!
//! Whatever is wrong with the link, the customer gets a chat and reads nothing of it; the agent does.

use super::routes::{add_token, started};
use crate::{
    app::{App, now},
    beginnings::{self, Said},
    http::refusal::Refusal,
    links::query::{Fields, Judged, judge},
    secrets,
};
use sightline_connect::bot::variables::LiveChat;
use sightline_store::{
    SqliteConnection, StoreError, accounts, chat_links, conversations, origins,
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    UnixMillis,
    conversation::{Context, ContextValue, ConversationState},
    directline::ConversationStarted,
    link::{AGENT_EMAIL, AGENT_ID, CameBy, ChatEntry, PREVIOUS_CONVERSATION, PREVIOUS_CONVERSATION_TOO},
    routing::VIDEO_CALL,
};
use uuid::Uuid;

/// What only a link may say, where there is one.
pub const OF_LINKS: [&str; 4] = [PREVIOUS_CONVERSATION, PREVIOUS_CONVERSATION_TOO, AGENT_EMAIL, AGENT_ID];

/// Begins the chat, or goes on with the one that this browser has begun with the same link. `None`: the address is no
/// link into the chat.
pub async fn start(
    app: &App,
    entry: &ChatEntry,
    browser: Option<&str>,
    name: Option<String>,
    page: LiveChat,
) -> Result<Option<ConversationStarted>, Refusal> {
    let now = now();
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let link = secrets::hash(match entry {
        ChatEntry::Code { code } => code,
        ChatEntry::Query { query } => query,
    });
    let browser = browser.map(secrets::hash);
    if let Some(browser) = &browser
        && let Some(thread) = chat_links::opening(c, &link, browser).await?
        && goes_on(c, &thread).await?
    {
        let token = add_token(c, &thread, &[]).await?;
        drop(writing.commit().await?);
        return Ok(Some(started(thread, token)));
    }
    let Some(said) = said(app, c, entry, page.clone(), now).await? else {
        return Ok(None);
    };
    let name = match name {
        Some(name) => name,
        None => known_name(c, &said).await?.unwrap_or_default(),
    };
    let thread = Thread {
        origin: Origin::Page,
        id: Uuid::new_v4().simple().to_string(),
        user_id: String::new(),
        user_name: name,
        // What the link says is for this conversation; a later one continues it.
        context: page.context,
        conversation: None,
        last_seq: 0,
    };
    threads::insert(c, &thread, now).await?;
    threads::hide(c, &thread.id, &page.hidden.into_iter().collect::<Vec<_>>()).await?;
    let token = add_token(c, &thread.id, &[]).await?;
    let conversation = beginnings::in_thread(c, &thread, &said, now).await?;
    if let Some(browser) = &browser {
        chat_links::opened(c, &link, browser, &thread.id).await?;
    }
    let came_by = said.came_by;
    app.settle(writing, conversation, ConversationState::Open, Vec::new())
        .await?;
    tracing::info!(%conversation, ?came_by, "a chat began by a link");
    Ok(Some(started(thread.id, token)))
}

/// Whether the chat of a thread is still somebody's work.
async fn goes_on(c: &mut SqliteConnection, thread: &str) -> Result<bool, StoreError> {
    let Some(id) = threads::get(c, thread).await?.and_then(|thread| thread.conversation) else {
        return Ok(false);
    };
    let current = conversations::get(c, id).await?;
    Ok(current.is_some_and(|c| matches!(c.state, ConversationState::Open | ConversationState::Active)))
}

/// What counts of what link and page say. Beside a link that is believed the page says nothing: it is not believed.
async fn said(
    app: &App,
    c: &mut SqliteConnection,
    entry: &ChatEntry,
    page: LiveChat,
    now: UnixMillis,
) -> Result<Option<Said>, StoreError> {
    let believes = app.config.deployment.links.unsigned_may_choose_agent;
    let (came_by, fields, trusted) = match entry {
        ChatEntry::Code { code } => match chat_links::by_code(c, code).await? {
            None => (CameBy::ForeignLink, None, false),
            Some(link) if link.expires_at <= now => (CameBy::ExpiredLink, None, false),
            Some(link) => {
                let fields = Fields {
                    conversation: link.conversation.to_string(),
                    agent: Some(link.agent.to_string()),
                    email: accounts::by_id(c, link.agent).await?.map(|account| account.email),
                    video: link.video,
                };
                (CameBy::Link, Some(fields), true)
            }
        },
        ChatEntry::Query { query } => match judge(query, &app.link_key, now / 1_000) {
            Judged::Nothing => return Ok(None),
            Judged::Signed(fields) => (CameBy::Link, Some(fields), true),
            Judged::Unsigned(fields) => (CameBy::UnsignedLink, Some(fields), believes),
            Judged::Expired => (CameBy::ExpiredLink, None, false),
            Judged::Foreign => (CameBy::ForeignLink, None, false),
        },
    };
    let mut said = Said {
        trusted,
        came_by: Some(came_by),
        ..Said::default()
    };
    if !trusted {
        said.context = page.context;
        said.context.retain(|name, _| !OF_LINKS.contains(&name.as_str()));
        said.hidden = page.hidden.into_iter().collect();
    }
    match fields {
        Some(fields) if trusted => {
            said.context = variables(fields);
            said.hidden = vec![VIDEO_CALL.into()];
        }
        Some(fields) => {
            let value = ContextValue::Text(fields.conversation);
            said.context.insert(PREVIOUS_CONVERSATION.into(), value);
        }
        None => {}
    }
    Ok(Some(said))
}

/// The variables that the sample's page gives.
fn variables(fields: Fields) -> Context {
    let texts = [
        (PREVIOUS_CONVERSATION, Some(fields.conversation)),
        (AGENT_ID, fields.agent),
        (AGENT_EMAIL, fields.email),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), ContextValue::Text(value?))));
    let video = fields.video.then(|| (VIDEO_CALL.to_owned(), ContextValue::Truth(true)));
    texts.chain(video).collect()
}

/// The name that the customer had before, where it is sure that it is the same one.
async fn known_name(c: &mut SqliteConnection, said: &Said) -> Result<Option<String>, StoreError> {
    let (true, Some(ContextValue::Text(previous))) = (said.trusted, said.context.get(PREVIOUS_CONVERSATION)) else {
        return Ok(None);
    };
    match origins::by_name(c, previous).await? {
        Some(previous) => origins::given_name(c, previous).await,
        None => Ok(None),
    }
}
