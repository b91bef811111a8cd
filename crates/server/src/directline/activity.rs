//! Between our messages and Bot Framework activities.

use crate::{dates::iso8601, handover};
use serde_json::{Value, json};
use sightline_connect::bot::handoff::STATUS;
use sightline_store::{messages::StoredMessage, threads::Thread};
use sightline_wire::{
    UnixMillis,
    cards::{Card, HERO, SuggestedActions},
    conversation::{Author, Body, File, FilePlace},
    directline::{Activity, Attachment, ChannelAccount, ConversationAccount, SightlineData},
    ids::{AccountId, FileId},
};

/// `{thread}|{seq:07}`.
pub fn activity_id(thread: &str, seq: i64) -> String {
    format!("{thread}|{seq:07}")
}

/// The number in a watermark; whatever is not one starts from the beginning, as Microsoft's client expects.
pub fn watermark(text: Option<&str>) -> i64 {
    text.and_then(|text| text.rsplit('|').next()?.trim().parse().ok())
        .unwrap_or(0)
        .max(0)
}

/// `clientActivityID`, where the page gave one.
pub fn client_key(activity: &Activity) -> Option<String> {
    let key = activity.channel_data.as_ref()?.get("clientActivityID")?.as_str()?;
    (!key.is_empty() && key.len() <= 200).then(|| key.to_string())
}

/// A message as the customer's page gets it. `address` says where it finds a file.
pub fn from_message(
    thread: &Thread,
    company: &str,
    stored: &StoredMessage,
    address: &dyn Fn(FileId) -> String,
) -> Activity {
    let message = &stored.message;
    let from = match &message.author {
        Author::Customer => ChannelAccount {
            id: thread.user_id.clone(),
            name: Some(thread.user_name.clone()).filter(|name| !name.is_empty()),
            role: Some("user".into()),
        },
        Author::Agent { account, name } => agent(*account, name),
        Author::Bot { name } => ChannelAccount {
            id: "bot".into(),
            name: Some(name.clone()),
            role: Some("bot".into()),
        },
        Author::System => ChannelAccount {
            id: "sightline".into(),
            name: Some(company.into()),
            role: Some("bot".into()),
        },
    };
    let sightline = match (&message.body, &message.author) {
        (Body::Text { .. } | Body::Files { .. } | Body::Offer { .. } | Body::Choice { .. }, _) => None,
        (Body::Invite { url, expires_at, .. }, author) => Some(SightlineData::Invite {
            code: url.rsplit('/').next().unwrap_or_default().to_string(),
            url: url.clone(),
            agent_name: match author {
                Author::Agent { name, .. } => name.clone(),
                Author::Customer | Author::Bot { .. } | Author::System => company.to_string(),
            },
            expires_at: *expires_at,
        }),
        // A note has no place in a thread, so it does not come here.
        (Body::Event { line, .. }, _) => Some(SightlineData::Event { line: line.clone() }),
        (Body::Note { .. }, _) => Some(SightlineData::Event { line: None }),
    };
    let mut data = serde_json::Map::new();
    let status = stored.page_key.as_deref().and_then(handover::told);
    if let (Some(key), None) = (&stored.page_key, status) {
        data.insert("clientActivityID".into(), Value::String(key.clone()));
    }
    if let Some(sightline) = sightline {
        data.insert("sightline".into(), json!(sightline));
    }
    let base = Activity {
        id: stored.thread_seq.map(|seq| activity_id(&thread.id, seq)),
        timestamp: Some(iso8601(message.at)),
        ..blank("message", thread, from)
    };
    if let Some(state) = status {
        return Activity {
            kind: "event".into(),
            name: Some(STATUS.into()),
            value: Some(json!({ "state": state })),
            ..base
        };
    }
    let (mut value, mut suggested) = (None, None);
    let (text, attachments) = match &message.body {
        Body::Offer {
            words, cards, actions, ..
        } => {
            suggested = Some(actions.clone())
                .filter(|actions| !actions.is_empty())
                .map(|actions| SuggestedActions { actions });
            let words = Some(words.clone()).filter(|words| !words.is_empty());
            (words, cards.iter().map(hero).collect())
        }
        Body::Choice {
            text,
            value: chosen,
            seen,
            ..
        } => {
            value.clone_from(chosen);
            match seen {
                true => data.insert("messageBack".into(), json!({ "displayText": text })),
                false => data.insert("postBack".into(), Value::Bool(true)),
            };
            (seen.then(|| text.clone()), Vec::new())
        }
        Body::Files { words, files, .. } => {
            let sizes: Vec<_> = files.iter().map(|file| file.size).collect();
            if sizes.iter().all(Option::is_some) {
                data.insert("attachmentSizes".into(), json!(sizes));
            }
            let words = Some(words.clone()).filter(|words| !words.is_empty());
            (words, files.iter().map(|file| attachment(file, address)).collect())
        }
        body => (Some(body.text().to_string()), Vec::new()),
    };
    Activity {
        text,
        attachments,
        suggested_actions: suggested,
        value,
        channel_data: (!data.is_empty()).then_some(Value::Object(data)),
        ..base
    }
}

fn hero(card: &Card) -> Attachment {
    Attachment {
        content_type: HERO.into(),
        content: Some(json!(card)),
        ..Attachment::default()
    }
}

fn attachment(file: &File, address: &dyn Fn(FileId) -> String) -> Attachment {
    Attachment {
        content_type: file.kind.clone(),
        content_url: file.place.as_ref().map(|place| match place {
            FilePlace::Here { id } => address(*id),
            FilePlace::There { url } => url.clone(),
        }),
        content: None,
        name: Some(file.name.clone()).filter(|name| !name.is_empty()),
    }
}

/// "The agent is writing", which is not part of the history.
pub fn typing(thread: &Thread, account: AccountId, name: &str, at: UnixMillis) -> Activity {
    Activity {
        timestamp: Some(iso8601(at)),
        ..blank("typing", thread, agent(account, name))
    }
}

/// "The bot is writing".
pub fn bot_typing(thread: &Thread, name: &str, at: UnixMillis) -> Activity {
    let from = ChannelAccount {
        id: "bot".into(),
        name: Some(name.into()),
        role: Some("bot".into()),
    };
    Activity {
        timestamp: Some(iso8601(at)),
        ..blank("typing", thread, from)
    }
}

fn agent(account: AccountId, name: &str) -> ChannelAccount {
    ChannelAccount {
        id: account.to_string(),
        name: Some(name.to_string()),
        role: Some("bot".into()),
    }
}

fn blank(kind: &str, thread: &Thread, from: ChannelAccount) -> Activity {
    Activity {
        kind: kind.into(),
        id: None,
        timestamp: None,
        channel_id: Some("directline".into()),
        from,
        conversation: Some(ConversationAccount { id: thread.id.clone() }),
        text: None,
        attachments: Vec::new(),
        suggested_actions: None,
        locale: None,
        name: None,
        value: None,
        channel_data: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_watermarks_start_from_the_beginning() {
        assert_eq!(watermark(None), 0);
        for (text, seq) in [
            ("", 0),
            ("undefined", 0),
            ("null", 0),
            ("-1", 0),
            ("7", 7),
            ("t|0000012", 12),
        ] {
            assert_eq!(watermark(Some(text)), seq, "{text}");
        }
    }
}
