//! What Event Grid brings: the question whether it may call us, and the events of chat threads (CloudEvents 1.0 JSON;
//! Event Grid, "Endpoint validation"; "Azure Communication Services: chat events").

use crate::{Answer, Content, Inbound, Received, Reject, Request, Speaker, Thread, http::millis};
use serde_json::{Value, json};
use sightline_wire::conversation::{Context, ContextValue};

/// What a request of Event Grid says. Events about a thread are read; the copies that it sends for each member of the
/// thread are not, or everything would be said twice.
pub(super) fn read(request: Request<'_>, our_user: &str) -> Result<Received, Reject> {
    if request.method == "OPTIONS" {
        return permission(request);
    }
    let body: Value = serde_json::from_slice(request.body).map_err(|_| Reject::Malformed("not JSON"))?;
    let events: Vec<&Value> = match &body {
        Value::Array(events) => events.iter().collect(),
        Value::Object(_) => vec![&body],
        _ => return Err(Reject::Malformed("no events")),
    };
    let mut received = Received {
        events: Vec::new(),
        answer: Answer::Accepted,
    };
    for event in events {
        // The other schema of Event Grid has the same data under the same names of events.
        let kind = match text(event, "specversion") {
            Some("1.0") => text(event, "type"),
            Some(_) => return Err(Reject::Malformed("another version of CloudEvents")),
            None => text(event, "eventType"),
        };
        let kind = kind.ok_or(Reject::Malformed("an event without a type"))?;
        let data = event.get("data").unwrap_or(&Value::Null);
        match kind {
            "Microsoft.EventGrid.SubscriptionValidationEvent" => {
                let code = text(data, "validationCode").ok_or(Reject::Malformed("no validationCode"))?;
                received.answer = Answer::Challenge {
                    media_type: "application/json",
                    body: json!({ "validationResponse": code }).to_string(),
                };
            }
            "Microsoft.Communication.ChatMessageReceivedInThread" => {
                received.events.extend(message(event, data, our_user)?);
            }
            "Microsoft.Communication.ChatTypingIndicatorReceivedInThread" => {
                let ours = sender(data) == Some(our_user);
                received
                    .events
                    .extend((!ours).then_some(Inbound::Typing { thread: thread(data)? }));
            }
            "Microsoft.Communication.ChatThreadDeleted" => {
                received.events.push(Inbound::Ended { thread: thread(data)? });
            }
            _ => {}
        }
    }
    Ok(received)
}

/// The handshake of CloudEvents ("HTTP 1.1 Web Hooks for Event Delivery", section 4): the origin may call, as often as
/// it likes.
fn permission(request: Request<'_>) -> Result<Received, Reject> {
    let origin = request
        .header("webhook-request-origin")
        .ok_or(Reject::Malformed("no WebHook-Request-Origin"))?;
    let answer = Answer::Headers(vec![
        ("webhook-allowed-origin", origin.into()),
        ("webhook-allowed-rate", "*".into()),
    ]);
    Ok(Received {
        events: Vec::new(),
        answer,
    })
}

fn message(event: &Value, data: &Value, our_user: &str) -> Result<Option<Inbound>, Reject> {
    let sender = sender(data).ok_or(Reject::Malformed("a message without a sender"))?;
    let kind = text(data, "type").unwrap_or("Text");
    let body = text(data, "messageBody").unwrap_or_default();
    // The service names the kinds of words like this, and everything that happens in a thread otherwise.
    let words = match kind.to_ascii_lowercase().as_str() {
        "text" => body.to_owned(),
        "html" | "richtext/html" => plain(body),
        _ => return Ok(None),
    };
    if sender == our_user || words.trim().is_empty() {
        return Ok(None);
    }
    let name = text(data, "senderDisplayName")
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let at = text(data, "composeTime")
        .or(text(event, "time"))
        .or(text(event, "eventTime"));
    Ok(Some(Inbound::Message {
        thread: thread(data)?,
        id: text(data, "messageId")
            .ok_or(Reject::Malformed("a message without an id"))?
            .into(),
        // Bots and other applications have numbers that begin like this.
        from: if sender.starts_with("28:") {
            Speaker::Other { name }
        } else {
            Speaker::Customer {
                address: sender.into(),
                name,
            }
        },
        content: Content::Text(words),
        at: at.and_then(millis),
        context: metadata(data),
    }))
}

fn metadata(data: &Value) -> Context {
    let pairs = data.get("metadata").and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), ContextValue::Text(value.as_str()?.into())));
    pairs.into_iter().flatten().filter_map(pair).collect()
}

fn thread(data: &Value) -> Result<Thread, Reject> {
    text(data, "threadId")
        .map(|id| Thread(id.into()))
        .ok_or(Reject::Malformed("no threadId"))
}

fn sender(data: &Value) -> Option<&str> {
    text(data.get("senderCommunicationIdentifier")?, "rawId")
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// The words of a formatted message: without its tags, with a line for each paragraph.
fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        // One that is never closed is no tag.
        let Some(end) = rest[start..].find('>') else {
            break;
        };
        out.push_str(&rest[..start]);
        let tag = rest[start + 1..start + end]
            .trim_end_matches('/')
            .trim()
            .to_ascii_lowercase();
        if ["br", "/p", "/div", "/li"].contains(&tag.as_str()) {
            out.push('\n');
        }
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    // The ampersand last, so that nothing is decoded twice.
    for (entity, character) in [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, character);
    }
    out.trim().to_owned()
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
