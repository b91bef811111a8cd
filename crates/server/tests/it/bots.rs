//! A bot in front of the web chat: what customers see of it, how people take over, and what happens when it fails.

use crate::{
    bot_service::BotService,
    harness::{Answer, Desk, Page, Socket, World},
};
use serde_json::{Value, json};
use sightline_server::Secret;
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    connectors::{ConnectorState, ConnectorTest, ConnectorView},
    conversation::{Author, Body, Channel, ContextValue, Conversation, ConversationState},
    directline::{Activity, ActivitySet},
};

async fn world() -> (BotService, World) {
    let bot = BotService::start().await;
    let deployment = bot.deployment("");
    let world = World::with(|config| config.deployment = deployment).await;
    (bot, world)
}

/// A customer who has written to the bot, and the page's stream.
async fn begun(bot: &BotService, world: &World) -> (Page, Socket) {
    let page = world.api.page().await;
    let stream = page.stream("0").await;
    page.say("Hello").await;
    let heard = bot.hears("message", 1).await;
    assert_eq!(heard.last().unwrap()["text"], "Hello");
    (page, stream)
}

async fn sees(stream: &mut Socket, text: &str) -> Activity {
    stream
        .expect(text, |set: ActivitySet| {
            set.activities
                .into_iter()
                .find(|activity| activity.text.as_deref() == Some(text))
        })
        .await
}

async fn view(world: &World) -> ConnectorView {
    let admin = world.desk("admin").await;
    let mut views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    views.remove(0)
}

/// What a customer reads.
async fn texts(page: &Page) -> Vec<String> {
    page.history()
        .await
        .into_iter()
        .filter_map(|activity| activity.text)
        .collect()
}

/// The conversation that has come to the agents.
async fn comes(desk: &Desk, socket: &mut Socket) -> Conversation {
    let came = |event| match event {
        AgentEvent::Conversation(conversation) => {
            (conversation.state == ConversationState::Open).then_some(conversation.id)
        }
        _ => None,
    };
    let id = socket.agent_event("a conversation", came).await;
    let conversation: Conversation = desk
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap();
    conversation
}

#[tokio::test]
async fn the_bot_talks_until_it_hands_over_with_everything_and_then_is_silent() {
    let (bot, world) = world().await;
    let desk = world.desk("agent").await;
    let (mut inbox, waiting) = desk.listen().await;
    assert!(waiting.is_empty());
    let (page, mut stream) = begun(&bot, &world).await;
    bot.says(json!({ "type": "typing" }));
    let typing = stream
        .expect("typing", |set: ActivitySet| {
            set.activities.into_iter().find(|a| a.kind == "typing")
        })
        .await;
    assert_eq!(typing.from.name.as_deref(), Some("Helper"));
    bot.writes("What can I do for you?");
    let said = sees(&mut stream, "What can I do for you?").await;
    assert_eq!(
        (said.from.role.as_deref(), said.from.name.as_deref()),
        (Some("bot"), Some("Kettle bot"))
    );
    page.activity(json!({ "type": "typing", "from": { "id": "me" } }))
        .await
        .unwrap();
    bot.hears("typing", 1).await;
    page.say("Can I return my kettle?").await;
    let heard = bot.hears("message", 2).await;
    assert_eq!(heard[1]["text"], "Can I return my kettle?");

    // All that time it is the bot's alone.
    assert!(world.desk("supervisor").await.listen().await.1.is_empty());
    let standing = view(&world).await;
    assert_eq!((standing.state, standing.conversations), (ConnectorState::Enabled, 1));
    let admin = world.desk("admin").await;
    let refused: Result<Vec<ConnectorView>, _> = admin.post("/v1/connectors/helper/disable", json!({})).await;
    assert_eq!(refused.refused().code, ErrorCode::ConnectorInUse);

    bot.says(json!({ "type": "event", "name": "handoff.initiate",
        "value": { "va_LastTopic": "Return items", "StoreLocation": "Bellevue" },
        "attachments": [{ "contentType": "application/json", "name": "Transcript", "content": { "activities": [
            { "type": "message", "id": "0", "from": { "id": "bot-1", "name": "Kettle bot", "role": "bot" }, "text": "Said elsewhere" },
            { "type": "message", "id": "1", "from": { "id": "me", "name": "Ada", "role": "user" }, "text": "Hello" },
        ] } }] }));
    let (_, mut stream) = (stream, page.stream("0").await);
    sees(&mut stream, "Helper hands over to a person").await;
    let conversation = comes(&desk, &mut inbox).await;
    assert_eq!(conversation.channel, Channel::WebChat);
    assert_eq!(conversation.customer_name, "Ada");
    assert_eq!(
        conversation.context["StoreLocation"],
        ContextValue::Text("Bellevue".into())
    );
    let bots = || Author::Bot {
        name: "Kettle bot".into(),
    };
    let lines: Vec<_> = desk
        .messages(conversation.id)
        .await
        .into_iter()
        .filter(|m| !matches!(m.body, Body::Event { .. }))
        .map(|m| (m.author, m.body.text().to_owned()))
        .collect();
    assert_eq!(
        lines,
        [
            (Author::Customer, "Hello".into()),
            (bots(), "What can I do for you?".into()),
            (Author::Customer, "Can I return my kettle?".into()),
            (
                Author::System,
                "What the bot tells of before:\nKettle bot: Said elsewhere".into()
            ),
        ]
    );
    let told = bot.hears("event", 1).await;
    assert_eq!(
        (&told[0]["name"], &told[0]["value"]),
        (&json!("handoff.status"), &json!({ "state": "accepted" }))
    );

    // From here on the two talk without it.
    bot.writes("Still here!");
    page.say("Hello agent").await;
    desk.say(conversation.id, uuid::Uuid::new_v4(), "Good morning")
        .await
        .unwrap();
    sees(&mut stream, "Good morning").await;
    desk.wrap_up_and_close(conversation.id).await;
    let told = bot.hears("event", 2).await;
    assert_eq!(told[1]["value"], json!({ "state": "completed" }));
    assert!(!texts(&page).await.contains(&"Still here!".to_owned()));
    assert_eq!(bot.hears("message", 2).await.len(), 2, "it hears nothing of it");
    assert!(
        bot.heard()
            .iter()
            .all(|activity| activity["type"] != "endOfConversation")
    );

    // Who writes again begins again.
    page.say("One more thing").await;
    bot.until("another conversation", || (bot.count("begin") == 2).then_some(()))
        .await;
}

#[tokio::test]
async fn a_bot_that_fails_leaves_nobody_alone() {
    for (fault, code) in [(503, "503"), (403, "403")] {
        let (bot, world) = world().await;
        bot.fails(Some(fault));
        let desk = world.desk("agent").await;
        let (mut inbox, _) = desk.listen().await;
        let page = world.api.page().await;
        page.say("Hello").await;
        let conversation = comes(&desk, &mut inbox).await;
        assert_eq!(
            texts(&page).await[..2],
            ["Hello", "The assistant cannot be reached. A person goes on from here"]
        );
        assert_eq!(desk.messages(conversation.id).await[0].body.text(), "Hello");
        let ConnectorState::Failing { code: shown, .. } = view(&world).await.state else {
            panic!("it fails");
        };
        assert_eq!(shown, code);
        let admin = world.desk("admin").await;
        let test: ConnectorTest = admin.post("/v1/connectors/helper/test", json!({})).await.unwrap();
        assert!(!test.works);
        bot.fails(None);
        let test: ConnectorTest = admin.post("/v1/connectors/helper/test", json!({})).await.unwrap();
        assert!(test.works, "{}", test.sentence);
        assert_eq!(view(&world).await.state, ConnectorState::Enabled);
    }
}

#[tokio::test]
async fn a_bot_that_dies_in_the_middle_hands_over_with_what_was_said() {
    let (bot, world) = world().await;
    let desk = world.desk("agent").await;
    let (mut inbox, _) = desk.listen().await;
    let (page, mut stream) = begun(&bot, &world).await;
    bot.writes("One moment");
    sees(&mut stream, "One moment").await;
    bot.fails(Some(500));
    bot.breaks_streams();
    page.say("Are you there?").await;
    let conversation = comes(&desk, &mut inbox).await;
    let said: Vec<_> = desk
        .messages(conversation.id)
        .await
        .into_iter()
        .map(|m| m.body.text().to_owned())
        .collect();
    assert_eq!(
        said[..4],
        [
            "Hello",
            "One moment",
            "Are you there?",
            "The assistant cannot be reached. A person goes on from here"
        ]
    );
}

#[tokio::test]
async fn a_bot_that_says_good_bye_gives_the_customer_to_a_person() {
    let (bot, world) = world().await;
    let desk = world.desk("agent").await;
    let (mut inbox, _) = desk.listen().await;
    let (_page, mut stream) = begun(&bot, &world).await;
    bot.says(json!({ "type": "endOfConversation", "code": "completedSuccessfully" }));
    sees(&mut stream, "Helper has finished. A person goes on from here").await;
    comes(&desk, &mut inbox).await;
    assert!(
        bot.heard().iter().all(|activity| activity["type"] != "event"),
        "it asked for nobody"
    );
}

#[tokio::test]
async fn a_restart_loses_nothing_and_repeats_nothing() {
    let (bot, mut world) = world().await;
    let (page, mut stream) = begun(&bot, &world).await;
    bot.writes("one");
    sees(&mut stream, "one").await;
    world.restart().await;
    bot.counts("again", 1).await;
    let mut stream = page.stream("0").await;
    bot.writes("two");
    sees(&mut stream, "two").await;
    page.say("three").await;
    bot.hears("message", 2).await;
    bot.writes("four");
    sees(&mut stream, "four").await;
    assert_eq!(texts(&page).await, ["Hello", "one", "two", "three", "four"]);
    assert_eq!(bot.hears("message", 2).await.len(), 2);
    assert_eq!(bot.count("begin"), 1, "it is the same conversation");
}

#[tokio::test]
async fn what_is_said_while_the_server_is_away_is_heard_when_it_is_back() {
    let (bot, mut world) = world().await;
    let (page, mut stream) = begun(&bot, &world).await;
    bot.writes("one");
    sees(&mut stream, "one").await;
    // The server finds nobody when it comes back, until the bot is there too.
    bot.without_streams();
    world.restart().await;
    bot.writes("two");
    bot.writes("three");
    let mut stream = page.stream("0").await;
    sees(&mut stream, "three").await;
    assert_eq!(texts(&page).await, ["Hello", "one", "two", "three"]);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_sent_again() {
    let (bot, world) = world().await;
    let (page, mut stream) = begun(&bot, &world).await;
    bot.loses_answers(1);
    page.say("Only once").await;
    bot.counts("again", 1).await;
    page.say("And then").await;
    let heard = bot.until("the next one", || {
        let heard: Vec<Value> = bot.heard().into_iter().map(|a| a["text"].clone()).collect();
        heard.contains(&json!("And then")).then_some(heard)
    });
    assert_eq!(heard.await, [json!("Hello"), json!("Only once"), json!("And then")]);
    bot.writes("Yes");
    sees(&mut stream, "Yes").await;
}

#[tokio::test]
async fn where_no_stream_can_be_had_it_asks() {
    let (bot, world) = world().await;
    bot.without_streams();
    let (page, mut stream) = begun(&bot, &world).await;
    bot.writes("one");
    sees(&mut stream, "one").await;
    bot.counts("poll", 2).await;
    assert_eq!(bot.count("stream"), 0);
    assert_eq!(texts(&page).await, ["Hello", "one"]);
}

#[tokio::test]
async fn a_broken_stream_is_opened_again_and_what_it_repeats_is_said_once() {
    let (bot, world) = world().await;
    let (page, mut stream) = begun(&bot, &world).await;
    bot.writes("one");
    sees(&mut stream, "one").await;
    bot.breaks_streams();
    bot.counts("again", 1).await;
    bot.writes("two");
    sees(&mut stream, "two").await;
    assert_eq!(texts(&page).await, ["Hello", "one", "two"]);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let (bot, world) = world().await;
    bot.tokens_last(4);
    let (page, mut stream) = begun(&bot, &world).await;
    bot.counts("refresh", 1).await;
    page.say("With the new one").await;
    bot.hears("message", 2).await;
    bot.writes("Yes");
    sees(&mut stream, "Yes").await;
    assert_eq!(bot.count("again"), 0, "it was the same connection");
}

#[tokio::test]
async fn a_customer_who_leaves_or_wants_to_see_somebody_ends_the_bots_part() {
    let (bot, world) = world().await;
    let desk = world.desk("agent").await;
    let (mut inbox, _) = desk.listen().await;
    let (page, _stream) = begun(&bot, &world).await;
    page.activity(json!({ "type": "endOfConversation", "from": { "id": "me" } }))
        .await
        .unwrap();
    bot.hears("endOfConversation", 1).await;

    let page = world.api.page().await;
    page.say("Somebody else").await;
    bot.hears("message", 2).await;
    page.activity(json!({ "type": "event", "name": "video.request", "from": { "id": "me" } }))
        .await
        .unwrap();
    let conversation = comes(&desk, &mut inbox).await;
    assert!(conversation.video_request.is_some());
    assert_eq!(desk.messages(conversation.id).await[0].body.text(), "Somebody else");
    bot.hears("endOfConversation", 2).await;
}

#[tokio::test]
async fn a_bot_may_stand_at_one_entry_only() {
    let bot = BotService::start().await;
    let deployment = bot.deployment("entry = \"shop\"");
    let world = World::with(|config| config.deployment = deployment).await;
    let desk = world.desk("agent").await;
    let (mut inbox, _) = desk.listen().await;
    world
        .api
        .page_with(json!({ "context": { "entry": "shop" } }))
        .await
        .say("Hello bot")
        .await;
    assert_eq!(bot.hears("message", 1).await[0]["text"], "Hello bot");
    world
        .api
        .page_with(json!({ "context": { "entry": "careers" } }))
        .await
        .say("Hello people")
        .await;
    let conversation = comes(&desk, &mut inbox).await;
    assert_eq!(conversation.last_text, "Hello people");
    // Who comes for video comes for people.
    let wish = json!({ "context": { "entry": "shop", "VideoCall": true } });
    world.api.page_with(wish).await.say("Let me show you").await;
    let conversation = comes(&desk, &mut inbox).await;
    assert_eq!(conversation.last_text, "Let me show you");
    assert_eq!(bot.count("begin"), 1);
}

#[tokio::test]
async fn files_go_both_ways_as_addresses() {
    let (bot, world) = world().await;
    let (page, mut stream) = begun(&bot, &world).await;
    let picture = json!({ "type": "message", "from": { "id": "me" }, "attachments": [
        { "contentType": "text/plain", "name": "list.txt", "contentUrl": "data:text/plain;base64,a2V0dGxl" } ] });
    page.activity(picture).await.unwrap();
    let heard = bot.hears("message", 2).await;
    let sent = &heard[1]["attachments"][0];
    assert_eq!(
        (&sent["contentType"], &sent["name"], heard[1].get("text")),
        (&json!("text/plain"), &json!("list.txt"), None)
    );
    let content = reqwest::get(sent["contentUrl"].as_str().unwrap()).await.unwrap();
    assert_eq!(content.text().await.unwrap(), "kettle");
    bot.says(json!({ "type": "message", "text": "Here", "attachments": [
        { "contentType": "application/pdf", "name": "return.pdf", "contentUrl": "https://bot.example.com/return.pdf" } ] }));
    let shown = stream
        .expect("the file", |set: ActivitySet| {
            set.activities
                .into_iter()
                .flat_map(|activity| activity.attachments)
                .find(|file| file.content_type == "application/pdf")
        })
        .await;
    assert_eq!(shown.content_url.as_deref(), Some("https://bot.example.com/return.pdf"));
}

/// The other end is a real Direct Line service: our own, where people answer.
#[tokio::test]
async fn our_own_direct_line_can_stand_behind_it() {
    let far = World::with(|config| config.direct_line_secret = Some(Secret::new(env!("CARGO_PKG_NAME")))).await;
    let near = World::with(|config| {
        config.deployment = sightline_server::Deployment::parse(&format!(
            "[connectors.far]\nkind = \"direct-line\"\nbase = \"{}\"\ndirect_line_secret = \"env:CARGO_PKG_NAME\"\n",
            far.api.url
        ))
        .unwrap();
    })
    .await;
    let far_desk = far.desk("agent").await;
    let (mut far_inbox, _) = far_desk.listen().await;
    let page = near.api.page().await;
    let mut stream = page.stream("0").await;
    page.say("Is anybody there?").await;
    let conversation = comes(&far_desk, &mut far_inbox).await;
    assert_eq!(conversation.last_text, "Is anybody there?");
    far_desk
        .say(conversation.id, uuid::Uuid::new_v4(), "I am")
        .await
        .unwrap();
    let said = sees(&mut stream, "I am").await;
    assert_eq!(
        (said.from.role.as_deref(), said.from.name.as_deref()),
        (Some("bot"), Some("agent"))
    );
    let test: ConnectorTest = near
        .desk("admin")
        .await
        .post("/v1/connectors/far/test", json!({}))
        .await
        .unwrap();
    assert!(test.works, "{}", test.sentence);
    let unread: Result<Value, Problem> = near
        .desk("agent")
        .await
        .get(&format!("/v1/conversations/{}", conversation.id))
        .await;
    assert_eq!(unread.refused().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_the_bot_offers_can_be_chosen_and_the_agent_reads_both() {
    let (bot, world) = world().await;
    let desk = world.desk("agent").await;
    let (mut inbox, _) = desk.listen().await;
    let (page, mut stream) = begun(&bot, &world).await;
    let card = json!({
        "title": "Repairs", "text": "We repair it.",
        "images": [{ "url": "https://pictures.example/1" }],
        "buttons": [
            { "type": "postBack", "title": "Order parts", "value": { "topic": "parts" } },
            { "type": "openUrl", "title": "Manual", "value": "https://example.com/manual" },
            { "type": "openUrl", "title": "Trap", "value": "javascript:alert(1)" },
        ],
    });
    bot.says(json!({
        "type": "message", "id": "o1", "text": "How can I help?", "from": { "id": "bot-1", "name": "Kettle bot", "role": "bot" },
        "attachments": [
            { "contentType": "application/vnd.microsoft.card.hero", "content": card },
            { "contentType": "application/vnd.microsoft.card.adaptive", "content": { "body": [] } },
        ],
        "suggestedActions": { "actions": [{ "type": "imBack", "title": "Yes", "value": "Yes please" }] },
    }));
    let offered = sees(&mut stream, "How can I help?").await;
    let hero = "application/vnd.microsoft.card.hero";
    let kinds: Vec<&str> = offered
        .attachments
        .iter()
        .map(|card| card.content_type.as_str())
        .collect();
    assert_eq!(kinds, [hero, hero]);
    assert_eq!(
        offered.attachments[0].content,
        Some(json!({
            "title": "Repairs", "text": "We repair it.",
            "buttons": [
                { "type": "postBack", "title": "Order parts", "value": { "topic": "parts" } },
                { "type": "openUrl", "title": "Manual", "value": "https://example.com/manual" },
            ],
        }))
    );
    assert_eq!(
        offered.attachments[1].content,
        Some(json!({ "notShown": "adaptive", "buttons": [] }))
    );
    assert_eq!(offered.suggested_actions.unwrap().actions[0].title, "Yes");

    // As Bot Framework's own client sends what was chosen.
    let chosen = |data: Value| json!({ "type": "message", "from": { "id": "me" }, "value": { "topic": "parts" }, "channelData": data });
    let unseen = json!({ "postBack": true, "title": "Order parts", "clientActivityID": "k1" });
    page.activity(chosen(unseen.clone())).await.unwrap();
    page.activity(chosen(unseen)).await.unwrap();
    let heard = bot.hears("message", 2).await;
    assert_eq!(
        (heard[1].get("text"), &heard[1]["value"]),
        (None, &json!({ "topic": "parts" }))
    );
    assert_eq!(heard[1]["channelData"]["postBack"], json!(true));
    let mut shown = chosen(json!({ "messageBack": { "displayText": "The small one" } }));
    shown["text"] = json!("size:s");
    page.activity(shown).await.unwrap();
    let heard = bot.hears("message", 3).await;
    assert_eq!(
        (&heard[2]["text"], heard[2]["channelData"].get("postBack")),
        (&json!("size:s"), None)
    );
    let huge = json!({ "type": "message", "from": { "id": "me" }, "value": "x".repeat(9_000), "channelData": { "postBack": true } });
    assert_eq!(page.activity(huge).await.refused().code, ErrorCode::TooLarge);
    assert_eq!(texts(&page).await, ["Hello", "How can I help?", "The small one"]);
    let mine = page.history().await.into_iter().nth(2).unwrap();
    assert_eq!(
        mine.channel_data,
        Some(json!({ "postBack": true, "clientActivityID": "k1" }))
    );

    bot.says(json!({ "type": "endOfConversation" }));
    let conversation = comes(&desk, &mut inbox).await;
    let lines: Vec<String> = desk
        .messages(conversation.id)
        .await
        .iter()
        .map(|m| m.body.text().to_owned())
        .collect();
    assert_eq!(
        lines[..4],
        [
            "Hello",
            "How can I help?\nRepairs\nWe repair it.\n[Order parts] [Manual]\nA card that the web chat does not show: adaptive\n[Yes]",
            "Order parts",
            "The small one",
        ]
    );
}
