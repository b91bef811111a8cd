//! What a client sends: an activity, or one with files.

use super::{
    activity,
    entry::OF_LINKS,
    routes::{Authorised, authorised, clean_name},
};
use crate::{
    app::App,
    customer::{self, Chosen, PageMessage},
    files::{
        LONGEST_UPLOAD, MOST_FILES, Sent,
        routes::{name_of, of_data_address},
    },
    handover::{self, Handover},
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Multipart, Query, Request, State, multipart::MultipartError},
    http::{HeaderMap, header},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sightline_call::text::check_context;
use sightline_connect::{
    Inbound, Thread as External,
    bot::{
        self, handoff,
        variables::{LiveChat, of_channel_data, of_live_chat},
    },
};
use sightline_store::threads;
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS, Problem,
    directline::{Activity, Attachment, ResourceResponse},
    history::HistoryLine,
    routing::VIDEO_REQUEST,
};
use std::sync::Arc;
use uuid::Uuid;

/// An activity with one file of full size in it, written as `data:`.
pub const LONGEST_ACTIVITY: usize = 6 * 1024 * 1024;

/// Files and the activity around them.
pub const LONGEST_BODY: usize = LONGEST_UPLOAD + 64 * 1024;

/// Bytes of what a chosen button sends, as JSON.
const LONGEST_VALUE: usize = 8 * 1024;

/// The media type of an upload's part that is no file.
const ACTIVITY: &str = "application/vnd.microsoft.activity";

/// An event that tells context variables, for clients that learn of them later than they begin.
const SET_CONTEXT: &str = "context.set";

/// `POST conversations/{id}/activities`.
pub async fn send(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Id(id): Id<String>,
    request: Request,
) -> Result<Json<ResourceResponse>, Refusal> {
    // Whoever may not send is not listened to for megabytes.
    let by = authorised(&app, &headers, Some(&id)).await?;
    let Body(raw): Body<Value> = Body::from_request(request, &app).await?;
    let sent = Parsed::read(raw, Vec::new())?;
    to_the_end(async move { take(&app, &by, sent).await }).await.map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uploader {
    #[serde(default)]
    user_id: Option<String>,
}

/// `POST conversations/{id}/upload?userId=`: one file as the body, or a form with files and perhaps the activity that they
/// belong to.
pub async fn upload(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Id(id): Id<String>,
    Query(uploader): Query<Uploader>,
    request: Request,
) -> Result<Json<ResourceResponse>, Refusal> {
    let by = authorised(&app, &headers, Some(&id)).await?;
    let kind = media_type(&headers);
    let (activity, files) = if kind.starts_with("multipart/form-data") {
        let form = Multipart::from_request(request, &app).await.map_err(|_| no_form())?;
        parts(form).await?
    } else {
        let content = Bytes::from_request(request, &app).await.map_err(|_| too_much())?;
        let name = name_of(&headers);
        (None, vec![Sent::whole(name.as_deref(), &kind, content.into())?])
    };
    if files.is_empty() {
        return Err(Problem::new(ErrorCode::BadRequest)
            .saying("The upload holds no file.")
            .into());
    }
    let mut activity = activity.unwrap_or_else(|| json!({ "type": "message" }));
    let nobody = activity["from"]["id"].as_str().is_none_or(str::is_empty);
    if let (true, Some(user)) = (nobody, uploader.user_id) {
        activity["from"] = json!({ "id": user });
    }
    let sent = Parsed::read(activity, files)?;
    if sent.activity.kind != "message" {
        return Err(Problem::new(ErrorCode::BadRequest)
            .saying("Files belong to a message.")
            .into());
    }
    to_the_end(async move { take(&app, &by, sent).await }).await.map(Json)
}

/// The activity of a form, if there is one, and its files.
async fn parts(mut form: Multipart) -> Result<(Option<Value>, Vec<Sent>), Refusal> {
    let (mut activity, mut files) = (None, Vec::new());
    while let Some(part) = form.next_field().await.map_err(|error| unreadable(&error))? {
        let kind = part.content_type().unwrap_or_default().to_ascii_lowercase();
        let name = part.file_name().map(str::to_owned);
        let content = part.bytes().await.map_err(|error| unreadable(&error))?;
        if kind.starts_with(ACTIVITY) {
            let read: Value = serde_json::from_slice(&content).map_err(|_| ErrorCode::BadRequest)?;
            if !read.is_object() {
                return Err(ErrorCode::BadRequest.into());
            }
            activity = Some(read);
        } else if files.len() == MOST_FILES {
            return Err(Problem::new(ErrorCode::FileTooLarge)
                .saying(format!("A message has at most {MOST_FILES} files."))
                .into());
        } else {
            files.push(Sent::whole(name.as_deref(), &kind, content.into())?);
        }
    }
    Ok((activity, files))
}

fn unreadable(error: &MultipartError) -> Refusal {
    if error.status().as_u16() == 413 {
        too_much()
    } else {
        no_form()
    }
}

fn too_much() -> Refusal {
    Problem::new(ErrorCode::FileTooLarge)
        .saying("All files of a message together may have 16 MB.")
        .into()
}

fn no_form() -> Refusal {
    Problem::new(ErrorCode::BadRequest)
        .saying("The upload is no readable multipart/form-data.")
        .into()
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

/// An activity that can be taken as it is.
struct Parsed {
    activity: Activity,
    /// As it came: a hand-off says more than we keep of others.
    raw: Value,
    files: Vec<Sent>,
}

impl Parsed {
    fn read(raw: Value, mut files: Vec<Sent>) -> Result<Self, Refusal> {
        let activity: Activity = serde_json::from_value(raw.clone()).map_err(|_| ErrorCode::BadRequest)?;
        if activity.kind == "message" {
            for attachment in &activity.attachments {
                files.extend(file(attachment)?);
            }
        }
        Ok(Self { activity, raw, files })
    }
}

/// The file of an attachment. Cards are none, and a file that comes beside the activity has no address in it.
fn file(attachment: &Attachment) -> Result<Option<Sent>, Refusal> {
    let Some(address) = attachment.content_url.as_deref().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let name = attachment.name.as_deref();
    if let Some((kind, content)) = of_data_address(address) {
        let kind = if kind.is_empty() {
            &attachment.content_type
        } else {
            &kind
        };
        return Sent::whole(name, kind, content).map(Some);
    }
    if address.starts_with("https://") {
        let name = name.unwrap_or_default();
        return Ok(Some(Sent::elsewhere(name, &attachment.content_type, Some(address))));
    }
    Err(Problem::new(ErrorCode::FileRefused)
        .saying("An attachment's contentUrl is data:…;base64 or begins with https://.")
        .into())
}

async fn take(app: &Arc<App>, by: &Authorised, sent: Parsed) -> Result<ResourceResponse, Refusal> {
    let thread = by.thread.as_str();
    let Parsed { activity, raw, files } = sent;
    let seq = match (activity.kind.as_str(), activity.name.as_deref()) {
        ("message", _) => {
            let (text, chosen) = said(&activity)?;
            let message = PageMessage {
                client_key: activity::client_key(&activity),
                text,
                chosen: chosen.filter(|_| files.is_empty()),
                files,
                user: (activity.from.id, clean_name(activity.from.name)),
            };
            let stored = customer::write(app, thread, message).await?;
            Some(stored.thread_seq.unwrap_or(0))
        }
        ("typing", _) => {
            customer::typing(app, thread).await?;
            None
        }
        ("endOfConversation", _) => {
            customer::leave(app, thread).await?;
            None
        }
        ("event", Some(VIDEO_REQUEST)) => {
            customer::wants_video(app, thread).await?;
            None
        }
        // What a page says of a bot nobody has to believe; a bot's own backend has the secret.
        ("event", Some(handoff::INITIATE)) if by.backend => {
            handed_over(app, thread, &activity, raw).await?;
            None
        }
        // Web Chat announces itself with such; there may be something in it about the customer.
        ("event" | "conversationUpdate" | "invoke" | "messageReaction", _) => {
            let told = told(&activity)?;
            if !told.context.is_empty() {
                customer::learn(app, thread, told, by.backend, &OF_LINKS).await?;
            }
            None
        }
        _ => {
            return Err(Problem::new(ErrorCode::BadRequest)
                .saying("This kind of activity is not known here.")
                .into());
        }
    };
    let seq = match seq {
        Some(seq) => seq,
        None => {
            let mut c = app.store.read().await?;
            threads::get(&mut c, thread).await?.map_or(0, |thread| thread.last_seq)
        }
    };
    Ok(ResourceResponse {
        id: activity::activity_id(thread, seq),
    })
}

/// The words of a message, and what of a bot's offer it chooses, as Bot Framework's own client marks it: `postBack` is not
/// shown in the customer's chat, `messageBack` in other words than the bot gets.
fn said(activity: &Activity) -> Result<(String, Option<Chosen>), Refusal> {
    let said = activity.text.clone().unwrap_or_default();
    let data = activity.channel_data.as_ref();
    let of_data = |name: &str| data.and_then(|data| data.get(name));
    let unseen = of_data("postBack").and_then(Value::as_bool) == Some(true);
    let Some(shown) = unseen
        .then_some("")
        .or_else(|| of_data("messageBack")?["displayText"].as_str().or(Some("")))
    else {
        return Ok((said, None));
    };
    let value = activity.value.clone().filter(|value| !value.is_null());
    let written = value.as_ref().map(Value::to_string).unwrap_or_default();
    if written.len() > LONGEST_VALUE || said.chars().count() > MAX_MESSAGE_CHARS {
        return Err(ErrorCode::TooLarge.into());
    }
    // What stood on the button, where the client tells it.
    let title = of_data("title").and_then(Value::as_str).unwrap_or_default();
    let words = [shown, title, said.as_str(), written.as_str()]
        .into_iter()
        .find(|words| !words.trim().is_empty());
    let text = words.unwrap_or_default().chars().take(MAX_MESSAGE_CHARS).collect();
    let seen = !shown.trim().is_empty();
    let said = Some(said).filter(|said| !said.is_empty());
    Ok((text, Some(Chosen { said, value, seen })))
}

/// The variables that an activity tells.
fn told(activity: &Activity) -> Result<LiveChat, Refusal> {
    let told = match (activity.name.as_deref(), &activity.value) {
        (Some(SET_CONTEXT), Some(Value::Object(variables))) => {
            of_live_chat(variables).map_err(|_| ErrorCode::BadContextVariable)?
        }
        (Some(SET_CONTEXT), _) => return Err(ErrorCode::BadContextVariable.into()),
        _ => LiveChat {
            context: activity.channel_data.as_ref().map(of_channel_data).unwrap_or_default(),
            ..LiveChat::default()
        },
    };
    check_context(&told.context)?;
    Ok(told)
}

/// A bot that stands before our web chat itself gives its conversation over.
async fn handed_over(app: &App, thread: &str, sent: &Activity, mut raw: Value) -> Result<(), Refusal> {
    // Sent twice with one key it is the same hand-off.
    let id = activity::client_key(sent).unwrap_or_else(|| Uuid::new_v4().to_string());
    raw["id"] = json!(id);
    let read = bot::activity::Activity::read(&raw).ok_or(ErrorCode::BadRequest)?;
    let Some(Inbound::Handoff {
        context, transcript, ..
    }) = handoff::initiate(&read, External(thread.to_owned()))
    else {
        return Err(ErrorCode::BadRequest.into());
    };
    let mut writing = app.store.write().await?;
    let thread = threads::get(writing.conn(), thread).await?.ok_or(ErrorCode::NotFound)?;
    let handover = Handover {
        id,
        name: None,
        context,
        transcript,
        line: "The bot handed the conversation over".into(),
        means: HistoryLine::BotHandsOver { bot: None },
        told: true,
    };
    handover::take(app, writing, thread, handover).await
}
