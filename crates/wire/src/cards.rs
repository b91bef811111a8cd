//! What a bot offers beside its words (Bot Framework, "Activity schema": hero card, card action, suggested actions).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// The media type of a hero card.
pub const HERO: &str = "application/vnd.microsoft.card.hero";

/// Cards of one message; more are left out.
pub const MOST_CARDS: usize = 10;

/// Buttons of one card, and suggested answers of one message; more are left out.
pub const MOST_ACTIONS: usize = 12;

/// A card, with the texts that can be shown here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Card {
    /// What it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub title: String,
    /// Smaller, below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub subtitle: String,
    /// What it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub text: String,
    /// The kind of a card of which nothing can be shown here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub not_shown: Option<String>,
    /// What can be chosen.
    pub buttons: Vec<CardAction>,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CardAction {
    /// What choosing it does.
    #[serde(rename = "type")]
    pub kind: ActionKind,
    /// What stands on it.
    pub title: String,
    /// What is sent, or the address that is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<Value>,
    /// The words that are sent, of a `messageBack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// What the customer's chat shows of a `messageBack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub display_text: Option<String>,
}

/// What choosing a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ActionKind {
    /// The value is sent as if the customer had written it.
    ImBack,
    /// The value is sent, and the customer's chat does not show it.
    PostBack,
    /// Words and value are sent, and other words shown.
    MessageBack,
    /// An address is opened; nothing is sent.
    OpenUrl,
}

/// `suggestedActions` of an activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SuggestedActions {
    /// In order.
    #[serde(default)]
    pub actions: Vec<CardAction>,
}

/// Words, cards and suggested answers as one text: for agents, lists, and channels that show only text.
pub fn plain(words: &str, cards: &[Card], actions: &[CardAction]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        if !text.trim().is_empty() {
            lines.push(text.trim().to_owned());
        }
    };
    let titles = |actions: &[CardAction]| {
        let titles: Vec<String> = actions.iter().map(|action| format!("[{}]", action.title)).collect();
        titles.join(" ")
    };
    add(words);
    for card in cards {
        add(&card.title);
        add(&card.subtitle);
        match &card.not_shown {
            Some(kind) => add(&format!("A card that the web chat does not show: {kind}")),
            None => add(&card.text),
        }
        add(&titles(&card.buttons));
    }
    add(&titles(actions));
    lines.join("\n")
}
