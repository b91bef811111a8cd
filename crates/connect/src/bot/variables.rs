//! What bots and Dynamics 365 know of a conversation, as context variables: primitives under case-sensitive names.

use serde_json::{Map, Value};
use sightline_wire::{
    conversation::{Context, ContextValue},
    link::{PREVIOUS_CONVERSATION, PREVIOUS_CONVERSATION_TOO},
};
use std::collections::BTreeSet;

/// Every variable of an object. Where a name occurs twice the last one counts, as bots mean it; a variable that was
/// never set (null) is none.
pub fn variables(object: &Map<String, Value>) -> Context {
    let mut context: Context = object
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), variable(value)?)))
        .collect();
    // Both spellings are in use; routing rules may be written for either.
    alias(&mut context, "va_LastPhrase", "va_LastPhrases");
    alias(&mut context, "va_LastPhrases", "va_LastPhrase");
    context
}

/// What an activity's `channelData` knows, in the shapes of Dynamics 365: `conversationcontext` and `customercontext`
/// of a custom channel, and `customContextData` of a live chat. What is known of the conversation is nearer than what
/// is known of the customer.
pub fn of_channel_data(data: &Value) -> Context {
    let object = |name: &str| data.get(name).and_then(Value::as_object);
    let mut context = Context::new();
    if let Some(channel) = data.get("channeltype").and_then(Value::as_str) {
        context.insert("channeltype".into(), ContextValue::Text(channel.into()));
    }
    for shape in ["customercontext", "conversationcontext"] {
        context.extend(object(shape).map(variables).unwrap_or_default());
    }
    if let Some(live_chat) = object("customContextData") {
        let mut found = variables(live_chat);
        // The previous conversation has this name at the agent's step and the other one on the customer's page.
        alias(&mut found, PREVIOUS_CONVERSATION_TOO, PREVIOUS_CONVERSATION);
        context.extend(found);
    }
    context
}

/// What a customer's page says when it starts a chat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveChat {
    /// All of it.
    pub context: Context,
    /// The variables that are for rules only (`isDisplayable` is false).
    pub hidden: BTreeSet<String>,
}

/// A variable of a live chat that is neither a truth, a number nor a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPrimitive {
    /// Which.
    pub name: String,
}

/// A live chat's custom context: each variable is a primitive, or Dynamics 365's object with one in `value`. One that
/// was never set (null) is none.
///
/// # Errors
/// [`NotPrimitive`], when one holds a list or an object: live chat refuses it, where a bot's is written out.
pub fn of_live_chat(object: &Map<String, Value>) -> Result<LiveChat, NotPrimitive> {
    let mut hidden = BTreeSet::new();
    for (name, given) in object {
        let wrapped = given.as_object().filter(|wrapped| is_wrapped(wrapped));
        let value = wrapped.and_then(|wrapped| wrapped.get("value")).unwrap_or(given);
        if value.is_array() || value.is_object() {
            return Err(NotPrimitive { name: name.clone() });
        }
        let displayable = wrapped.and_then(|wrapped| wrapped.get("isDisplayable"));
        if displayable.is_some_and(|shown| shown == false) {
            hidden.insert(name.clone());
        }
    }
    let mut context = variables(object);
    alias(&mut context, PREVIOUS_CONVERSATION_TOO, PREVIOUS_CONVERSATION);
    Ok(LiveChat { context, hidden })
}

/// The number of a customer who is on the telephone; `None` for one who writes. A bot says so by leaving the variable
/// empty.
pub fn customer_phone(context: &Context) -> Option<String> {
    let spellings = [
        "bot.CustomerPhoneNumber",
        "CustomerPhoneNumber",
        "va_CustomerPhoneNumber",
    ];
    spellings.iter().find_map(|name| match context.get(*name)? {
        ContextValue::Text(number) => Some(number.trim().to_owned()).filter(|number| !number.is_empty()),
        // Bots write numbers without a plus, so that some of them are numbers.
        ContextValue::Number(number) => Some(number.to_string()),
        ContextValue::Truth(_) => None,
    })
}

fn alias(context: &mut Context, known: &str, missing: &str) {
    if let (Some(value), false) = (context.get(known).cloned(), context.contains_key(missing)) {
        context.insert(missing.into(), value);
    }
}

fn variable(value: &Value) -> Option<ContextValue> {
    // Whole numbers that a double holds exactly; beyond them are identifiers, whose digits all count.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Null => None,
        Value::Bool(truth) => Some(ContextValue::Truth(*truth)),
        Value::Number(number) => Some(match number.as_f64().filter(|number| number.abs() <= EXACT) {
            Some(number) => ContextValue::Number(number),
            None => ContextValue::Text(number.to_string()),
        }),
        Value::String(text) => Some(ContextValue::Text(text.clone())),
        // Live chat wraps each value to say whether the agent sees it; rules need it either way.
        Value::Object(wrapped) if is_wrapped(wrapped) => variable(wrapped.get("value")?),
        Value::Array(_) | Value::Object(_) => Some(ContextValue::Text(plain(value))),
    }
}

fn is_wrapped(object: &Map<String, Value>) -> bool {
    object.contains_key("value") && object.keys().all(|name| name == "value" || name == "isDisplayable")
}

/// A nested value as a person would note it down: `Greetings, Store hours` and `colour: red; size: L`.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => joined(items.iter().map(plain), ", "),
        Value::Object(object) => joined(
            object.iter().map(|(name, value)| format!("{name}: {}", plain(value))),
            "; ",
        ),
    }
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &str) -> ContextValue {
        ContextValue::Text(value.into())
    }

    fn of(value: Value) -> Context {
        variables(value.as_object().unwrap())
    }

    #[test]
    fn values_become_primitives() {
        let context = of(json!({
            "yes": true, "count": 3, "empty": "", "unset": null, "order": 12345678901234567890u64,
            "va_Topics": ["Greetings", "Returns"], "item": { "colours": ["red", "blue"], "size": "L" },
        }));
        assert_eq!(context["yes"], ContextValue::Truth(true));
        assert_eq!(context["count"], ContextValue::Number(3.0));
        assert_eq!(context["empty"], text(""));
        assert!(!context.contains_key("unset"));
        assert_eq!(context["order"], text("12345678901234567890"));
        assert_eq!(context["va_Topics"], text("Greetings, Returns"));
        assert_eq!(context["item"], text("colours: red, blue; size: L"));
    }

    #[test]
    fn either_spelling_of_the_last_phrase_serves_rules_for_both() {
        for name in ["va_LastPhrase", "va_LastPhrases"] {
            let context = of(json!({ name: "Can I return it?" }));
            assert_eq!(context["va_LastPhrase"], text("Can I return it?"));
            assert_eq!(context["va_LastPhrases"], text("Can I return it?"));
        }
        let both = of(json!({ "va_LastPhrase": "one", "va_LastPhrases": "two" }));
        assert_eq!(
            (&both["va_LastPhrase"], &both["va_LastPhrases"]),
            (&text("one"), &text("two"))
        );
    }

    #[test]
    fn the_last_one_of_a_name_counts() {
        let value: Value =
            serde_json::from_str(r#"{"Store":"Bellevue","Store":"Seattle","store":"Kirkland"}"#).unwrap();
        assert_eq!(
            of(value),
            Context::from([("Store".into(), text("Seattle")), ("store".into(), text("Kirkland"))])
        );
    }

    #[test]
    fn a_custom_channel_knows_the_conversation_and_the_customer() {
        let context = of_channel_data(&json!({
            "channeltype": "kiosk",
            "conversationcontext": { "Language": "de", "Priority": 2 },
            "customercontext": { "Language": "en", "Name": "Ada" },
        }));
        assert_eq!(context["channeltype"], text("kiosk"));
        assert_eq!(context["Language"], text("de"));
        assert_eq!(context["Priority"], ContextValue::Number(2.0));
        assert_eq!(context["Name"], text("Ada"));
    }

    #[test]
    fn live_chat_wraps_its_values() {
        let context = of_channel_data(&json!({ "customContextData": {
            "EmailAddressContextVariable": { "value": "ada@example.com", "isDisplayable": true },
            "VideoCall": { "value": true, "isDisplayable": false },
            "ConversationId": { "value": "c-1", "isDisplayable": true },
            "Basket": { "value": null },
        }}));
        assert_eq!(context["EmailAddressContextVariable"], text("ada@example.com"));
        assert_eq!(context["VideoCall"], ContextValue::Truth(true));
        assert_eq!(context["PreviousConversationId"], text("c-1"));
        assert!(!context.contains_key("Basket"));
    }

    #[test]
    fn a_page_gives_primitives_and_says_which_the_agent_sees() {
        let of = |value: Value| of_live_chat(value.as_object().unwrap());
        let chat = of(json!({
            "cart": 42.5, "member": true,
            "EmailAddressContextVariable": { "value": "ada@example.com", "isDisplayable": true },
            "VideoCall": { "value": "True", "isDisplayable": false },
            "videocall": { "value": 1 },
            "PreviousConversationId": { "value": "c-1", "isDisplayable": true },
            "Basket": { "value": null, "isDisplayable": true },
            "unset": null,
        }))
        .unwrap();
        assert_eq!(chat.context["VideoCall"], text("True"));
        assert_eq!(chat.context["videocall"], ContextValue::Number(1.0));
        assert_eq!(chat.context["EmailAddressContextVariable"], text("ada@example.com"));
        assert_eq!(chat.hidden, BTreeSet::from(["VideoCall".to_owned()]));
        assert!(!chat.context.contains_key("Basket") && !chat.context.contains_key("unset"));
        assert_eq!(
            of(json!({ "ConversationId": "c-2" })).unwrap().context["PreviousConversationId"],
            text("c-2")
        );
        for nested in [
            json!({ "a": [1] }),
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "value": {} } }),
        ] {
            assert_eq!(of(nested), Err(NotPrimitive { name: "a".into() }));
        }
    }

    #[test]
    fn other_channel_data_knows_nothing() {
        for data in [
            json!(null),
            json!("text"),
            json!({ "clientActivityID": "1" }),
            json!({ "customercontext": [] }),
        ] {
            assert_eq!(of_channel_data(&data), Context::new(), "{data}");
        }
    }

    #[test]
    fn an_empty_phone_number_means_messaging() {
        for (name, number, expected) in [
            ("bot.CustomerPhoneNumber", "", None),
            ("bot.CustomerPhoneNumber", " ", None),
            ("bot.CustomerPhoneNumber", "15550100", Some("15550100")),
            ("CustomerPhoneNumber", "+15550100", Some("+15550100")),
            ("bot.OrganizationPhoneNumber", "15550100", None),
        ] {
            let context = Context::from([(name.to_string(), text(number))]);
            assert_eq!(customer_phone(&context).as_deref(), expected, "{name} {number}");
        }
        let number = of(json!({ "bot.CustomerPhoneNumber": 4915550100123u64 }));
        assert_eq!(customer_phone(&number).as_deref(), Some("4915550100123"));
    }
}
