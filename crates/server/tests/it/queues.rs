//! Queues and rules from the deployment's file, and what customers are told of them.

use crate::{
    harness::{Answer, World, sightline},
    platform::Platform,
    ready_desk::start,
    routing::{able, accept, untested},
};
use serde_json::json;
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode,
    agent::AgentEvent,
    conversation::{Body, Conversation},
    directline::SightlineData,
    history::HistoryLine,
    routing::Why,
};

async fn deployed(file: &str) -> World {
    let deployment = Deployment::parse(file).unwrap();
    World::with(|config| {
        config.deployment = deployment;
        config.readiness.required = true;
    })
    .await
}

/// The guide's escalation: what the platform writes before its transfer, and where that leads here.
const GUIDE: &str = include_str!("../../../../packaging/sightline.toml");

#[test]
fn the_example_that_is_shipped_is_understood() {
    let deployment = Deployment::parse(GUIDE).unwrap();
    assert!(deployment.queues.contains_key("video"));
}

#[test]
fn what_cannot_be_is_told_to_the_operator() {
    for (file, word) in [
        ("[queues.a]", "needs a place"),
        ("[queues.default]\nassignment_s = 1", "assignment_s is 5 to 300"),
        ("[queues.default]\nwrap_up = \"sometimes\"", "wrap_up is"),
        ("[queues.default]\nmax_bitrate = 1000", "max_bitrate is at least"),
        (
            "[queues.default]\nservice_level = { within_s = 0 }",
            "service_level.within_s is 1 to",
        ),
        (
            "[queues.default]\nservice_level = { share = 1.2 }",
            "service_level.share is more than 0",
        ),
        ("[queues.default]\nservice_level = { share = 80 }", "as in 0.8"),
        ("[queues.default]\nservice_level = { within = 20 }", "within"),
        ("[queues.default]\nservice_level = { within_s = 60, share = 0.8 }", ""),
        (
            "[queues.default]\ntell_waiting_after_s = 0",
            "tell_waiting_after_s is 1 to",
        ),
        ("[queues.default]\nvideo_skill = \"Nope\"\n[skills.Yes]", ""),
        ("[queues.default]\n[[rules]]\nqueue = \"b\"", "rule 1 names the queue b"),
        (
            "[queues.default]\n[[rules]]\nchannel = \"pigeon\"",
            "rule 1 names the channel pigeon",
        ),
        (
            "[queues.default]\n[[rules]]\nconnector = \"x\"",
            "rule 1 names the connector x",
        ),
        (
            "[queues.default]\n[[rules]]\nskills = { German = 11 }",
            "levels are 1 to 10",
        ),
        (
            "[queues.default]\n[agents.\"a@b\"]\nqueues = [\"c\"]",
            "names the queue c",
        ),
        (
            "[queues.default.hours]\nopen = [\"always\"]",
            "[queues.default] open is like",
        ),
        ("[queues.default]\ntitel = \"x\"", "titel"),
    ] {
        match Deployment::parse(file) {
            Ok(_) => assert_eq!(word, "", "{file}"),
            Err(error) => assert!(!word.is_empty() && error.contains(word), "{file}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_rule_leads_the_guides_variables_to_the_video_queue_and_its_skill() {
    let world = deployed(
        r#"
        [queues.default]
        title = "Support"
        [queues.video]
        title = "Video"
        id = "7f3c"
        mode = "push"
        [skills.Video_Capable]
        also = ["Video_Certified"]
        [[rules]]
        name = "Escalated to video"
        when = { Target_Channel = "Video" }
        requires = ["Escalation_Source"]
        queue = "default"
        queue_from = "routing.queueId"
        skill_from = "Agent_Skill_Requirement"
        priority = 100
        [agents."colleague@example.test"]
        skills = { Video_Capable = 3 }
        "#,
    )
    .await;
    let (_agent, _first) = untested(&world, "agent").await;
    // The skill alone is not enough: the target is video, so the desk has to be ready for it.
    let (colleague, mut second) = able(&world, "colleague").await;
    let context = json!({
        "Escalation_Source": "Chat",
        "Target_Channel": "Video",
        "Agent_Skill_Requirement": "Video_Certified",
        "routing.queueId": "7f3c",
    });
    let page = world.api.page_with(json!({ "context": context })).await;
    page.say("Hello").await;
    let asked = second.asked().await;
    let taken = accept(&colleague, asked.conversation).await.unwrap();
    assert_eq!(taken.queue.as_deref(), Some("Video"));
    let wish = taken.video_request.expect("one click starts the video");
    assert_eq!(wish.why, "The conversation came with a wish for video.");
    let supervisor = world.desk("supervisor").await;
    let why: Why = supervisor
        .get(&format!("/v1/conversations/{}/why", taken.id))
        .await
        .unwrap();
    assert_eq!((why.queue.as_str(), why.priority), ("Video", 100));
    assert_eq!(why.rule.as_deref(), Some("Escalated to video"));
    assert_eq!(why.because.as_deref(), Some("Nobody else could take it."));
    let path = format!("/v1/conversations/{}/why", taken.id);
    assert_eq!(colleague.get::<Why>(&path).await.refused().code, ErrorCode::NotAllowed);

    // What is missing is told to the agents, and nothing is guessed.
    let lame = json!({ "Target_Channel": "Video", "Agent_Skill_Requirement": "Juggling" });
    let page = world.api.page_with(json!({ "context": lame })).await;
    page.say("Hello").await;
    let (_socket, inbox) = supervisor.listen().await;
    let stranded = inbox.iter().find(|c| c.owner.is_none()).unwrap();
    assert_eq!(stranded.queue.as_deref(), Some("Support"));
    let notes: Vec<String> = supervisor
        .messages(stranded.id)
        .await
        .into_iter()
        .filter(|m| m.body.internal())
        .map(|m| m.body.text().to_owned())
        .collect();
    assert_eq!(
        notes,
        [
            "The variable Escalation_Source is missing. The variable routing.queueId is missing. The variable \
          Agent_Skill_Requirement names no skill of ours. So it waits in Support."
        ]
    );
    // Also where its queue is known: whoever is free there would take what asks for nobody knows what.
    let half = json!({
        "Escalation_Source": "Chat",
        "Target_Channel": "Video",
        "Agent_Skill_Requirement": "Juggling",
        "routing.queueId": "7f3c",
    });
    let other = world.api.page_with(json!({ "context": half })).await;
    other.say("And I?").await;
    let (_socket, inbox) = supervisor.listen().await;
    let half = inbox.iter().find(|c| c.owner.is_none() && c.id != stranded.id).unwrap();
    assert_eq!(half.queue.as_deref(), Some("Support"));
    assert!(
        !page
            .history()
            .await
            .iter()
            .any(|a| a.text.as_deref() == Some(notes[0].as_str()))
    );
}

#[tokio::test]
async fn a_queues_cap_is_its_calls_and_never_above_the_deployments() {
    let file = "[queues.default]\nmode = \"pull\"\nmax_bitrate = 900000";
    for (deployment_cap, call_cap, told) in [(2_500_000, 900_000, Some(900_000)), (400_000, 400_000, None)] {
        let world = World::with(|config| {
            config.deployment = Deployment::parse(file).unwrap();
            config.max_bitrate = deployment_cap;
        })
        .await;
        let (agent, _page, conversation) = world.active().await;
        assert_eq!(conversation.max_bitrate, told);
        let started = start(&agent, &conversation).await.unwrap();
        assert_eq!(started.max_bitrate, call_cap);
        let again: sightline_wire::escalation::VideoStarted = agent
            .post(&format!("/v1/escalations/{}/rejoin", started.escalation.id), json!({}))
            .await
            .ok()
            .unwrap();
        assert_eq!(again.max_bitrate, call_cap);
    }
}

#[tokio::test]
async fn customers_are_told_when_it_is_closed_and_when_nobody_is_here() {
    let world = deployed("[queues.default]\n[queues.default.hours]\nopen = []").await;
    let page = world.api.page().await;
    page.say("Hello").await;
    let seen: Vec<String> = page.history().await.into_iter().filter_map(|a| a.text).collect();
    assert_eq!(seen, ["Hello", "We are closed now. Your message waits here."]);
    page.say("Anybody?").await;
    assert_eq!(page.history().await.len(), 3, "it is said once");

    let world = deployed("[queues.default]").await;
    let page = world.api.page().await;
    page.say("Hello").await;
    let last = page.history().await.pop().unwrap();
    let line = Some(HistoryLine::NobodyHere);
    assert_eq!(sightline(&last), Some(SightlineData::Event { line }));
    assert!(last.text.unwrap().starts_with("Nobody is here at the moment."));
    let (_agent, _seat) = untested(&world, "agent").await;
    let page = world.api.page().await;
    page.say("Hello").await;
    assert_eq!(page.history().await.len(), 1, "somebody is here");
}

#[tokio::test]
async fn customers_of_a_platform_are_told_over_it() {
    let platform = Platform::start().await;
    let world = World::with(|config| {
        config.deployment = platform.deployment();
        let closed = Deployment::parse("[queues.default]\n[queues.default.hours]\nopen = []").unwrap();
        config.deployment.queues = closed.queues;
    })
    .await;
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    let told = platform.hears("message", 1).await;
    assert_eq!(told[0]["text"], "We are closed now. Your message waits here.");
    platform.customer_writes(&world, "100", "M-2", "Anybody?").await;
    platform.hears("receipt", 2).await;
    assert_eq!(platform.calls_of("message").len(), 1, "it is said once");
}

#[tokio::test]
async fn a_customer_who_asks_for_video_is_a_request_until_a_call_is_started() {
    let world = World::start().await;
    let (agent, page, conversation) = world.active().await;
    assert_eq!(conversation.video_request, None);
    let wish = json!({ "type": "event", "name": "video.request", "from": { "id": "me" } });
    page.activity(wish.clone()).await.unwrap();
    page.activity(wish).await.unwrap();
    let asked = agent.conversation(conversation.id).await;
    assert_eq!(asked.video_request.unwrap().why, "The customer asks to be seen.");
    let lines = agent.messages(conversation.id).await;
    let told = lines
        .iter()
        .filter(|m| matches!(&m.body, Body::Event { text, .. } if text.contains("asked for")));
    assert_eq!(told.count(), 1, "asking twice is one wish");
    start(&agent, &conversation).await.unwrap();
    let called: Conversation = agent.conversation(conversation.id).await;
    assert_eq!(called.video_request, None);
    // Another page begins with the wish, and it waits in the inbox with it.
    let page = world.api.page().await;
    let (mut socket, _) = agent.listen().await;
    page.activity(json!({ "type": "event", "name": "video.request", "from": { "id": "you" } }))
        .await
        .unwrap();
    socket
        .agent_event("a conversation that begins with the wish", |event| match event {
            AgentEvent::Conversation(c) if c.id != conversation.id => c.video_request,
            _ => None,
        })
        .await;
}
