//! From the bot to a person and back: `handoff.initiate` and `handoff.status` (Bot Framework, "Transition conversations
//! from bot to human"), and the tagged message with which bots of Omnichannel say the same.

use crate::{
    HandoffState, Inbound, Line, Speaker, Thread,
    bot::{
        activity::{Account, Activity, Attachment, Kind, Role},
        variables::variables,
    },
};
use serde_json::{Map, Value, json};
use sightline_wire::conversation::Context;

/// A bot gives a conversation over; the event's value is what it knows.
pub const INITIATE: &str = "handoff.initiate";
/// What became of it.
pub const STATUS: &str = "handoff.status";

/// What a message's `channelData.tags` order, beside its words.
#[derive(Debug, Clone, PartialEq)]
pub enum Tag {
    /// The bot gives the conversation over, with these variables.
    Escalate(Context),
    /// The bot ends the conversation.
    EndConversation,
}

/// The order in `channelData.tags`, which is an object or the JSON text of one.
pub fn tag(activity: &Activity) -> Option<Tag> {
    let tags = activity.channel_data.as_ref()?.get("tags")?;
    let parsed = match tags {
        Value::String(text) => serde_json::from_str(text).ok()?,
        Value::Object(_) => tags.clone(),
        _ => return None,
    };
    // The sample that bots are built from spells the members either way, depending on its serializer.
    let member = |small: &str, capital: &str| parsed.get(small).or_else(|| parsed.get(capital));
    match member("type", "Type")?.as_str()? {
        "Escalate" => {
            let context = member("context", "Context").and_then(Value::as_object);
            Some(Tag::Escalate(context.map(variables).unwrap_or_default()))
        }
        "EndConversation" => Some(Tag::EndConversation),
        _ => None,
    }
}

/// Whether a bot gives its conversation over with this event.
pub fn is_initiate(activity: &Activity) -> bool {
    activity.kind == Kind::Event && activity.name.as_deref() == Some(INITIATE)
}

/// A hand-off with everything that the bot knows and everything that was said. `None` without an id: the same hand-off
/// told twice could not be told from a second one.
pub fn initiate(activity: &Activity, thread: Thread) -> Option<Inbound> {
    Some(Inbound::Handoff {
        thread,
        id: activity.id.clone()?,
        context: activity
            .value
            .as_ref()
            .and_then(Value::as_object)
            .map(variables)
            .unwrap_or_default(),
        transcript: transcript(activity),
    })
}

/// The event that tells a bot what became of its hand-off.
pub fn status(state: &HandoffState) -> Activity {
    let mut event = Activity::new(Kind::Event);
    event.name = Some(STATUS.into());
    event.value = Some(match state {
        HandoffState::Accepted => json!({ "state": "accepted" }),
        HandoffState::Failed(why) => json!({ "state": "failed", "message": why }),
        HandoffState::Completed => json!({ "state": "completed" }),
    });
    event
}

/// The lines of the attachment `Transcript`: JSON, or the text of it, with the activities under their own name.
fn transcript(handoff: &Activity) -> Vec<Line> {
    let is_transcript = |attachment: &&Attachment| {
        let named = |name: &String| name.eq_ignore_ascii_case("Transcript");
        attachment.content_type == "application/json" && attachment.name.as_ref().is_some_and(named)
    };
    let Some(content) = handoff
        .attachments
        .iter()
        .find(is_transcript)
        .and_then(|found| found.content.as_ref())
    else {
        return Vec::new();
    };
    let parsed = match content {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    let activities = parsed.get("activities").unwrap_or(&parsed).as_array();
    activities
        .into_iter()
        .flatten()
        .filter_map(Activity::read)
        .filter_map(|activity| line(activity, handoff))
        .collect()
}

fn line(activity: Activity, handoff: &Activity) -> Option<Line> {
    if activity.kind != Kind::Message {
        return None;
    }
    let at = activity.at();
    let files = activity.attachments.iter().filter_map(|file| file.name.clone());
    let text = match activity.text {
        Some(text) if !text.trim().is_empty() => text,
        _ => files.collect::<Vec<_>>().join(", "),
    };
    if text.is_empty() {
        return None;
    }
    let from = activity.from.unwrap_or_default();
    let role = from.role.unwrap_or_else(|| side(&from, handoff));
    Some(Line {
        speaker: speaker(from, role),
        text,
        at,
    })
}

/// On which side somebody stands whose role is not told: the hand-off's own reference names the customer.
fn side(from: &Account, handoff: &Activity) -> Role {
    let user = handoff
        .relates_to
        .as_ref()
        .and_then(|reference| reference.user.as_ref());
    match user {
        Some(user) if user.id == from.id => Role::User,
        _ => Role::Bot,
    }
}

/// An account as somebody who speaks.
pub(crate) fn speaker(account: Account, role: Role) -> Speaker {
    match role {
        Role::User => Speaker::Customer {
            address: account.id,
            name: account.name,
        },
        Role::Bot => Speaker::Other { name: account.name },
    }
}

/// `channelData` with which a message says to a bot of Dynamics 365 where it comes from and what is known
/// (Omnichannel, "Bring your own channel").
pub fn channel_data(channel: &str, conversation: &Context, customer: &Context) -> Value {
    let object = |context: &Context| -> Map<String, Value> {
        context
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect()
    };
    json!({
        "channeltype": channel,
        "conversationcontext": object(conversation),
        "customercontext": object(customer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::conversation::ContextValue;

    fn read(value: Value) -> Activity {
        Activity::read(&value).unwrap()
    }

    fn text(value: &str) -> ContextValue {
        ContextValue::Text(value.into())
    }

    /// As a published bot sends it over Direct Line.
    fn example() -> Value {
        json!({
            "type": "event",
            "id": "7Kd2|0000009",
            "timestamp": "2026-03-04T10:00:09.5Z",
            "channelId": "directline",
            "from": { "id": "bot-1", "name": "Contoso bot", "role": "bot" },
            "conversation": { "id": "7Kd2" },
            "name": "handoff.initiate",
            "relatesTo": { "user": { "id": "ada-1", "name": "Ada" }, "bot": { "id": "bot-1" }, "conversation": { "id": "7Kd2" } },
            "value": {
                "va_Scope": "bot",
                "va_LastTopic": "Return items",
                "va_Topics": ["Greetings", "Store hours", "Return items"],
                "va_LastPhrases": "Can I return my item",
                "va_Phrases": ["Hi", "When do you open", "Can I return my item"],
                "va_ConversationId": "6b0e0b8e-3f0e-4a38-8d4f-0f4c8f4f2a11",
                "va_AgentMessage": "Got a gift",
                "va_BotId": "0c51f0a4-6a4c-4a51-9b0d-f6c1c0a6d2f0",
                "va_BotName": "Contoso bot",
                "va_Language": "en-us",
                "MSCallerId": "",
                "StoreLocation": "Bellevue",
            },
            "attachments": [{
                "contentType": "application/json",
                "name": "Transcript",
                "content": { "activities": [
                    { "type": "conversationUpdate", "from": { "id": "ada-1" } },
                    { "type": "message", "id": "1", "timestamp": "2026-03-04T10:00:00Z",
                      "from": { "id": "bot-1", "name": "Contoso bot", "role": "bot" }, "text": "Hello!" },
                    { "type": "message", "id": "2", "timestamp": "2026-03-04T10:00:04Z",
                      "from": { "id": "ada-1", "name": "Ada" }, "text": "Can I return my item" },
                    { "type": "message", "id": "3", "from": { "id": "ada-1", "role": 1 },
                      "attachments": [{ "contentType": "image/png", "name": "receipt.png" }] },
                    { "type": "trace", "text": "debug" },
                    { "type": "message", "id": "4", "from": { "id": "bot-1" }, "text": " " },
                ]},
            }],
        })
    }

    #[test]
    fn a_hand_off_brings_all_variables_and_the_whole_transcript() {
        let activity = read(example());
        assert!(is_initiate(&activity));
        let Some(Inbound::Handoff {
            thread,
            id,
            context,
            transcript,
        }) = initiate(&activity, Thread("7Kd2".into()))
        else {
            panic!("a hand-off");
        };
        assert_eq!((thread.0.as_str(), id.as_str()), ("7Kd2", "7Kd2|0000009"));
        assert_eq!(context.len(), 13, "twelve variables and the other spelling of one");
        assert_eq!(context["va_Topics"], text("Greetings, Store hours, Return items"));
        assert_eq!(context["va_LastPhrase"], text("Can I return my item"));
        assert_eq!(context["StoreLocation"], text("Bellevue"));
        assert_eq!(context["MSCallerId"], text(""));

        let customer = |name: Option<&str>| Speaker::Customer {
            address: "ada-1".into(),
            name: name.map(Into::into),
        };
        let expected = [
            (
                Speaker::Other {
                    name: Some("Contoso bot".into()),
                },
                "Hello!",
                Some(1_772_618_400_000),
            ),
            (customer(Some("Ada")), "Can I return my item", Some(1_772_618_404_000)),
            (customer(None), "receipt.png", None),
        ];
        let expected = expected.map(|(speaker, text, at)| Line {
            speaker,
            text: text.into(),
            at,
        });
        assert_eq!(transcript, expected);
    }

    #[test]
    fn a_transcript_may_be_a_text_or_a_bare_list() {
        let full = example();
        let lines = transcript(&read(full.clone()));
        let content = &full["attachments"][0]["content"];
        for other in [json!(content.to_string()), content["activities"].clone()] {
            let mut changed = full.clone();
            changed["attachments"][0]["content"] = other;
            assert_eq!(transcript(&read(changed)), lines);
        }
    }

    #[test]
    fn what_is_no_transcript_is_none() {
        for content in [
            json!("not JSON"),
            json!(3),
            json!({ "activities": {} }),
            json!([1, null, {}]),
        ] {
            let mut changed = example();
            changed["attachments"][0]["content"] = content;
            assert_eq!(transcript(&read(changed)), []);
        }
        let mut other = example();
        other["attachments"][0]["name"] = json!("Notes");
        assert_eq!(transcript(&read(other)), []);
    }

    #[test]
    fn a_hand_off_without_an_id_is_none() {
        let mut without = example();
        without["id"] = json!("");
        assert_eq!(initiate(&read(without), Thread("t".into())), None);
    }

    #[test]
    fn no_changed_hand_off_is_too_much() {
        let tagged = json!({ "type": "message", "id": "1", "channelData": {
            "tags": json!({ "type": "Escalate", "context": { "Skill": ["a", { "b": null }] } }).to_string(),
            "conversationcontext": { "Topic": "Returns" }, "customContextData": { "Vip": { "value": true } },
        }});
        for original in [example(), tagged] {
            crate::fuzz::mutations(original.to_string().as_bytes(), 3_000, |body| {
                let activity = serde_json::from_slice(body).ok().as_ref().and_then(Activity::read);
                let _ = activity.map(|activity| crate::bot::inbound(&activity, &Thread("t".into()), Role::User));
            });
        }
    }

    #[test]
    fn a_tagged_message_escalates_or_ends() {
        let tagged = |tags: Value| tag(&read(json!({ "type": "message", "channelData": { "tags": tags } })));
        let escalate = json!({ "type": "Escalate", "context": { "Skill": "Returns", "Order": 17 } });
        let context = Context::from([
            ("Skill".into(), text("Returns")),
            ("Order".into(), ContextValue::Number(17.0)),
        ]);
        assert_eq!(tagged(escalate.clone()), Some(Tag::Escalate(context.clone())));
        assert_eq!(tagged(json!(escalate.to_string())), Some(Tag::Escalate(context)));
        assert_eq!(
            tagged(json!({ "type": "Escalate" })),
            Some(Tag::Escalate(Context::new()))
        );
        assert_eq!(
            tagged(json!(r#"{"Type":"EndConversation","Context":{}}"#)),
            Some(Tag::EndConversation)
        );
        for tags in [
            json!("ChannelId-lcw"),
            json!(["Escalate"]),
            json!(null),
            json!({ "type": "Other" }),
        ] {
            assert_eq!(tagged(tags.clone()), None, "{tags}");
        }
    }

    #[test]
    fn the_status_says_why_it_failed() {
        let value = |state| status(&state).value.unwrap();
        assert_eq!(value(HandoffState::Accepted), json!({ "state": "accepted" }));
        assert_eq!(value(HandoffState::Completed), json!({ "state": "completed" }));
        assert_eq!(
            value(HandoffState::Failed("nobody is here".into())),
            json!({ "state": "failed", "message": "nobody is here" })
        );
    }

    #[test]
    fn what_we_tell_dynamics_is_what_we_read_from_it() {
        let conversation = Context::from([("Topic".into(), text("Returns"))]);
        let customer = Context::from([("Vip".into(), ContextValue::Truth(true))]);
        let read = crate::bot::variables::of_channel_data(&channel_data("kiosk", &conversation, &customer));
        assert_eq!(
            read,
            Context::from([
                ("channeltype".into(), text("kiosk")),
                ("Topic".into(), text("Returns")),
                ("Vip".into(), ContextValue::Truth(true)),
            ])
        );
    }
}
