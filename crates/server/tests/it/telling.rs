//! Customers who wait already hear that the last agent has left: once, over whatever channel they wait.

use crate::{
    harness::{Page, World},
    platform::Platform,
    ready_desk::Seat,
    routing::{accept, untested},
};
use sightline_server::Deployment;
use sightline_wire::{
    agent::{AgentEvent, AgentRequest},
    routing::Chosen,
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Long enough for everything that would be told wrongly to have been told: it is said after one second.
const QUIET: Duration = Duration::from_millis(2_500);

const GONE: &str = "Nobody is here any more at the moment. Your message waits for the first one who comes back.";

async fn world() -> World {
    let deployment = Deployment::parse("[queues.default]\ntell_waiting_after_s = 1").unwrap();
    World::with(|config| config.deployment = deployment).await
}

async fn chooses(seat: &mut Seat, chosen: Chosen) {
    seat.say(AgentRequest::Presence { chosen });
    seat.expect("the presence", |event| match event {
        AgentEvent::Presence(mine) if mine.chosen == chosen => Some(()),
        _ => None,
    })
    .await;
}

async fn texts(page: &Page) -> Vec<String> {
    page.history().await.into_iter().filter_map(|a| a.text).collect()
}

/// The page's history once this line stands in it so often.
async fn ends_with(page: &Page, line: &str, times: usize) -> Vec<String> {
    let looking = async {
        let mut stream = page.stream("0").await;
        loop {
            let seen = texts(page).await;
            if seen.iter().filter(|text| *text == line).count() == times {
                return seen;
            }
            let _: serde_json::Value = stream.next().await.expect("the page goes on");
        }
    };
    timeout(Duration::from_secs(20), looking).await.expect("the line comes")
}

#[tokio::test]
async fn who_waits_is_told_when_the_last_agent_leaves_and_only_then() {
    let world = world().await;
    let (desk, mut seat) = untested(&world, "agent").await;
    let (_colleague, mut other) = untested(&world, "colleague").await;
    let (first, second) = (world.api.page().await, world.api.page().await);
    second.say("Good morning").await;
    // Another socket of the same agent would take the desk's place.
    let (_socket, inbox) = world.desk("supervisor").await.listen().await;
    let taken = accept(&desk, inbox[0].id).await.unwrap();
    first.say("Hello").await;
    chooses(&mut other, Chosen::Away).await;
    chooses(&mut seat, Chosen::Away).await;
    // Back at once: nothing has happened.
    chooses(&mut seat, Chosen::Available).await;
    sleep(QUIET).await;
    assert_eq!(texts(&first).await, ["Hello"]);

    chooses(&mut seat, Chosen::Away).await;
    assert_eq!(ends_with(&first, GONE, 1).await, ["Hello", GONE]);
    // Whoever comes now is told so at once, and is not told again with the others.
    let third = world.api.page().await;
    third.say("Anybody?").await;
    assert_eq!(texts(&third).await.len(), 2);
    chooses(&mut other, Chosen::DoNotDisturb).await;
    sleep(QUIET).await;
    assert_eq!(texts(&first).await, ["Hello", GONE], "it is said once");
    assert_eq!(texts(&third).await.len(), 2);

    // Somebody stays for a while: the next time is a change of its own.
    chooses(&mut other, Chosen::Available).await;
    sleep(QUIET).await;
    chooses(&mut other, Chosen::Offline).await;
    assert_eq!(ends_with(&first, GONE, 2).await, ["Hello", GONE, GONE]);
    ends_with(&third, GONE, 1).await;
    let others = texts(&second).await;
    assert!(!others.contains(&GONE.to_owned()), "who is served does not wait");
    assert_eq!(
        desk.conversation(taken.id).await.because.as_deref(),
        Some("Taken by hand, unasked.")
    );
}

#[tokio::test]
async fn a_desk_that_loses_its_connection_may_be_back() {
    let world = world().await;
    let (_desk, seat) = untested(&world, "agent").await;
    let page = world.api.page().await;
    page.say("Hello").await;
    drop(seat);
    sleep(QUIET).await;
    assert_eq!(texts(&page).await, ["Hello"]);
}

#[tokio::test]
async fn customers_of_a_platform_are_told_over_it() {
    let platform = Platform::start().await;
    let world = World::with(|config| {
        config.deployment = platform.deployment();
        let queues = Deployment::parse("[queues.default]\ntell_waiting_after_s = 1").unwrap();
        config.deployment.queues = queues.queues;
    })
    .await;
    let (_desk, seat) = untested(&world, "agent").await;
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    platform.hears("receipt", 1).await;
    assert!(platform.calls_of("message").is_empty(), "somebody is here");
    // Who has been there for so long has been there at all.
    sleep(QUIET).await;
    seat.say(AgentRequest::Presence {
        chosen: Chosen::Offline,
    });
    let told = platform.hears("message", 1).await;
    assert_eq!(told[0]["text"], GONE);
}
