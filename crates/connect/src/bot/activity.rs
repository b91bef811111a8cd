//! The Bot Framework Activity, as far as conversations need it: read with patience, written exactly.
//!
//! Fields of another type than the schema says are treated as absent; only what has no type at all is no activity.

use crate::http::millis;
use serde::Serialize;
use serde_json::Value;
use sightline_wire::UnixMillis;

/// What an activity is (Activity schema, "Activity types").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Words or files.
    Message,
    /// Somebody writes.
    Typing,
    /// Something with a name and a value.
    Event,
    /// It is over.
    EndOfConversation,
    /// Somebody came or went.
    ConversationUpdate,
    /// A type that is of no interest here.
    #[serde(untagged)]
    Other(String),
}

impl Kind {
    fn read(text: &str) -> Self {
        match text {
            "message" => Self::Message,
            "typing" => Self::Typing,
            "event" => Self::Event,
            "endOfConversation" => Self::EndOfConversation,
            "conversationUpdate" => Self::ConversationUpdate,
            other => Self::Other(other.into()),
        }
    }
}

/// On which side of the conversation somebody stands (Activity schema, "Channel account role").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The customer.
    User,
    /// A bot, or an agent who speaks through one.
    Bot,
}

/// Somebody (Activity schema, "Channel account").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Opaque, within the channel.
    pub id: String,
    /// As shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the sender tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl Account {
    fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            id: text(value, "id").unwrap_or_default(),
            name: text(value, "name").filter(|name| !name.is_empty()),
            // Transcripts that a bot's own store has kept write 0 and 1.
            role: match object.get("role") {
                Some(Value::String(role)) => match role.as_str() {
                    "user" => Some(Role::User),
                    "bot" | "skill" => Some(Role::Bot),
                    _ => None,
                },
                Some(Value::Number(role)) => match role.as_u64() {
                    Some(0) => Some(Role::Bot),
                    Some(1) => Some(Role::User),
                    _ => None,
                },
                _ => None,
            },
        })
    }
}

/// Which conversation (Activity schema, "Conversation account").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversation {
    /// Opaque, within the channel.
    pub id: String,
}

/// A file, a card or data (Activity schema, "Attachment").
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Media type.
    pub content_type: String,
    /// Where a file is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_url: Option<String>,
    /// What a card or data says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// A file's name; `Transcript` for a transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The conversation that a hand-off is about (Activity schema, "Conversation reference").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// The customer.
    pub user: Option<Account>,
    /// The bot.
    pub bot: Option<Account>,
}

/// The unit of the protocol (Activity schema, "Basic activity structure").
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The channel's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// The address that answers go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
    /// `directline`, `msteams`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Account>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Account>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `plain`, `markdown` or `xml`; a channel takes what has none for markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_format: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An event's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An event's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What the channel adds of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<Value>,
    /// Files, cards, data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Answers to choose from. Only read: agents suggest none.
    #[serde(skip)]
    pub suggested_actions: Option<Value>,
    /// The conversation that an event is about. Only read: what we send is about its own conversation.
    #[serde(skip)]
    pub relates_to: Option<Reference>,
}

impl Activity {
    /// One of this kind that says nothing yet.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            id: None,
            timestamp: None,
            service_url: None,
            channel_id: None,
            from: None,
            recipient: None,
            conversation: None,
            text: None,
            text_format: None,
            locale: None,
            name: None,
            value: None,
            channel_data: None,
            attachments: Vec::new(),
            suggested_actions: None,
            relates_to: None,
        }
    }

    /// What a JSON value says; `None` for one that is no activity.
    pub fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let account = |name: &str| object.get(name).and_then(Account::read);
        Some(Self {
            kind: Kind::read(object.get("type")?.as_str()?),
            id: text(value, "id").filter(|id| !id.is_empty()),
            timestamp: text(value, "timestamp"),
            service_url: text(value, "serviceUrl"),
            channel_id: text(value, "channelId"),
            from: account("from"),
            recipient: account("recipient"),
            conversation: object
                .get("conversation")
                .and_then(|conversation| text(conversation, "id"))
                .map(|id| Conversation { id }),
            text: text(value, "text"),
            text_format: text(value, "textFormat"),
            locale: text(value, "locale"),
            name: text(value, "name"),
            value: present(value, "value"),
            channel_data: present(value, "channelData"),
            attachments: attachments(value),
            suggested_actions: present(value, "suggestedActions"),
            relates_to: object
                .get("relatesTo")
                .filter(|found| found.is_object())
                .map(|reference| Reference {
                    user: reference.get("user").and_then(Account::read),
                    bot: reference.get("bot").and_then(Account::read),
                }),
        })
    }

    /// As it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("every field is text or JSON, which always serializes")
    }

    /// When it was said, where that can be read.
    pub fn at(&self) -> Option<UnixMillis> {
        self.timestamp.as_deref().and_then(millis)
    }
}

/// A field that is a text.
pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn present(value: &Value, name: &str) -> Option<Value> {
    value.get(name).filter(|found| !found.is_null()).cloned()
}

fn attachments(value: &Value) -> Vec<Attachment> {
    let list = value.get("attachments").and_then(Value::as_array);
    let read = |attachment: &Value| {
        attachment.is_object().then(|| Attachment {
            content_type: text(attachment, "contentType").unwrap_or_default(),
            content_url: text(attachment, "contentUrl"),
            content: present(attachment, "content"),
            name: text(attachment, "name").filter(|name| !name.is_empty()),
        })
    };
    list.into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_of_a_wrong_type_are_absent() {
        let activity = Activity::read(&json!({
            "type": "message", "id": 7, "from": "somebody", "text": ["a"], "conversation": null, "attachments": [3, {}],
            "relatesTo": [],
        }));
        let mut expected = Activity::new(Kind::Message);
        expected.attachments.push(Attachment::default());
        assert_eq!(activity, Some(expected));
    }

    #[test]
    fn what_has_no_type_is_no_activity() {
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "type": 1 }),
            json!("message"),
        ] {
            assert_eq!(Activity::read(&value), None, "{value}");
        }
    }

    #[test]
    fn an_activity_is_written_without_what_it_does_not_say() {
        let mut activity = Activity::new(Kind::EndOfConversation);
        activity.from = Some(Account {
            id: "a".into(),
            name: None,
            role: Some(Role::Bot),
        });
        let written: Value = serde_json::from_slice(&activity.to_bytes()).unwrap();
        assert_eq!(
            written,
            json!({ "type": "endOfConversation", "from": { "id": "a", "role": "bot" } })
        );
    }

    #[test]
    fn kinds_survive_the_way_there_and_back() {
        for kind in [
            "message",
            "typing",
            "event",
            "endOfConversation",
            "conversationUpdate",
            "invoke",
        ] {
            let activity = Activity::read(&json!({ "type": kind })).unwrap();
            let written: Value = serde_json::from_slice(&activity.to_bytes()).unwrap();
            assert_eq!(written, json!({ "type": kind }));
        }
    }

    #[test]
    fn times_are_read_with_any_offset_and_any_precision() {
        assert_eq!(
            millis("2026-01-02T03:04:05.1234567Z"),
            millis("2026-01-02T04:04:05.123+01:00")
        );
        assert_eq!(millis("1970-01-01T00:00:01Z"), Some(1000));
        assert_eq!(millis("yesterday"), None);
    }
}
