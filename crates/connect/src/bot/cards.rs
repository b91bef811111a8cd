//! A bot's cards and suggested answers (Activity schema, "Hero card", "Card action", "Suggested actions"), as far as a web
//! chat can show them. Everything is bounded here: a bot is somebody else's program.

use super::activity::{Activity, Attachment, text};
use serde_json::Value;
use sightline_wire::{
    MAX_MESSAGE_CHARS,
    cards::{ActionKind, Card, CardAction, HERO, MOST_ACTIONS, MOST_CARDS, plain},
};

/// Has the same fields as a hero card, with a smaller picture.
const THUMBNAIL: &str = "application/vnd.microsoft.card.thumbnail";

/// How the media type of a card begins.
const CARD: &str = "application/vnd.microsoft.card.";

/// Characters of a title, a subtitle, and a button.
const LONGEST_TITLE: usize = 200;

/// Characters of what a card says.
const LONGEST_TEXT: usize = 2_000;

/// Bytes of what a button sends, as JSON.
const LONGEST_VALUE: usize = 4_096;

/// What a message of a bot offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The words beside it; may be empty.
    pub words: String,
    /// In order.
    pub cards: Vec<Card>,
    /// Answers to choose from.
    pub actions: Vec<CardAction>,
}

impl Offer {
    /// What a message offers; `None` for one that is words alone.
    pub fn read(activity: &Activity) -> Option<Self> {
        let cards: Vec<Card> = activity.attachments.iter().filter_map(card).take(MOST_CARDS).collect();
        let suggested = activity
            .suggested_actions
            .as_ref()
            .and_then(|found| found.get("actions"));
        let actions = actions(suggested);
        let words = activity.text.as_deref().unwrap_or_default();
        (!cards.is_empty() || !actions.is_empty()).then(|| Self {
            words: words.chars().take(MAX_MESSAGE_CHARS).collect(),
            cards,
            actions,
        })
    }

    /// The same as one text, no longer than a message may be.
    pub fn text(&self) -> String {
        let text = plain(&self.words, &self.cards, &self.actions);
        text.chars().take(MAX_MESSAGE_CHARS).collect()
    }
}

fn card(attachment: &Attachment) -> Option<Card> {
    let kind = attachment.content_type.strip_prefix(CARD)?;
    let content = attachment.content.as_ref();
    let said = |name: &str, longest: usize| {
        let said = content.and_then(|content| text(content, name)).unwrap_or_default();
        cut(said.trim(), longest)
    };
    let shown = match attachment.content_type.as_str() {
        HERO | THUMBNAIL => Card {
            title: said("title", LONGEST_TITLE),
            subtitle: said("subtitle", LONGEST_TITLE),
            text: said("text", LONGEST_TEXT),
            not_shown: None,
            buttons: actions(content.and_then(|content| content.get("buttons"))),
        },
        _ => Card {
            text: ["fallbackText", "title"]
                .iter()
                .map(|name| said(name, LONGEST_TEXT))
                .find(|said| !said.is_empty())
                .unwrap_or_default(),
            ..Card::default()
        },
    };
    if shown != Card::default() {
        return Some(shown);
    }
    Some(Card {
        not_shown: Some(cut(kind, LONGEST_TITLE)),
        ..Card::default()
    })
}

fn actions(list: Option<&Value>) -> Vec<CardAction> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(action)
        .take(MOST_ACTIONS)
        .collect()
}

/// A button that does something here and has something on it. A text alone is said back (Bot Framework's own client does
/// so).
fn action(found: &Value) -> Option<CardAction> {
    if let Some(said) = found.as_str().map(str::trim).filter(|said| !said.is_empty()) {
        return Some(CardAction {
            kind: ActionKind::ImBack,
            title: cut(said, LONGEST_TITLE),
            value: Some(Value::String(cut(said, LONGEST_TEXT))),
            text: None,
            display_text: None,
        });
    }
    let said = |name: &str| {
        text(found, name)
            .map(|said| cut(said.trim(), LONGEST_TEXT))
            .filter(|said| !said.is_empty())
    };
    let value = found.get("value").filter(|value| !value.is_null()).cloned();
    let kind = match found.get("type")?.as_str()? {
        "imBack" => ActionKind::ImBack,
        "postBack" => ActionKind::PostBack,
        "messageBack" => ActionKind::MessageBack,
        "openUrl" => ActionKind::OpenUrl,
        _ => return None,
    };
    if value
        .as_ref()
        .is_some_and(|value| value.to_string().len() > LONGEST_VALUE)
    {
        return None;
    }
    let does = match (kind, &value) {
        (ActionKind::ImBack, Some(Value::String(words))) => !words.trim().is_empty(),
        (ActionKind::OpenUrl, Some(Value::String(address))) => address.starts_with("https://"),
        (ActionKind::ImBack | ActionKind::OpenUrl, _) => false,
        (ActionKind::PostBack, value) => value.is_some(),
        (ActionKind::MessageBack, value) => value.is_some() || said("text").is_some(),
    };
    let (text, display_text) = match kind {
        ActionKind::MessageBack => (said("text"), said("displayText")),
        ActionKind::ImBack | ActionKind::PostBack | ActionKind::OpenUrl => (None, None),
    };
    let words = value
        .as_ref()
        .and_then(Value::as_str)
        .map(|words| cut(words, LONGEST_TITLE));
    let title = said("title").or_else(|| display_text.clone()).or(words)?;
    does.then(|| CardAction {
        kind,
        title: cut(&title, LONGEST_TITLE),
        value,
        text,
        display_text,
    })
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
#[path = "cards_tests.rs"]
mod tests;
