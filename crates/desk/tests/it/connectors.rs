use crate::harness::World;
use sightline_server::{Deployment, ServerConfig};
use sightline_wire::{ErrorCode, account::Role, connectors::ConnectorState, desk::DeskCommand};

/// A platform that nobody answers for: its port is taken by none.
fn a_platform(config: &mut ServerConfig) {
    let file =
        "[connectors.shop]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/in\"\nsecret = \"env:CARGO_PKG_NAME\"\n";
    config.deployment = Deployment::parse(file).unwrap();
}

fn an_admins_platform(config: &mut ServerConfig) {
    a_platform(config);
    config.first_accounts[0].role = Role::Admin;
}

fn switch(on: bool) -> DeskCommand {
    let connector = "shop".into();
    DeskCommand::SwitchConnector { connector, on }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_reads_tests_and_switches_connectors() {
    let world = World::with(an_admins_platform).await;
    let mut desk = world.desk().await;
    desk.command(DeskCommand::ReadConnectors).await.unwrap();
    let found = desk.until("the connectors", |w| w.connectors.clone()).await;
    assert_eq!(
        (found.len(), found[0].name.as_str(), found[0].kind.as_str()),
        (1, "shop", "webhook")
    );
    assert_eq!(found[0].state, ConnectorState::Enabled);

    let connector = "shop".into();
    desk.command(DeskCommand::TestConnector { connector }).await.unwrap();
    let (name, test) = desk
        .until("what the test says", |w| w.connector_tests.last().cloned())
        .await;
    assert_eq!((name.as_str(), test.works), ("shop", false));
    assert_eq!(test.sentence, "The platform cannot be reached.");
    desk.command(DeskCommand::ReadConnectors).await.unwrap();
    let failing =
        |state: &ConnectorState| matches!(state, ConnectorState::Failing { code, .. } if code == "unreachable");
    desk.until("that it fails", |w| {
        failing(&w.connectors.as_ref()?[0].state).then_some(())
    })
    .await;

    for (on, state) in [(false, ConnectorState::Disabled), (true, ConnectorState::Enabled)] {
        desk.command(switch(on)).await.unwrap();
        desk.until("the switch", |w| {
            (w.connectors.as_ref()?[0].state == state).then_some(())
        })
        .await;
    }
    let connector = "nobody".into();
    let unknown = desk.command(DeskCommand::TestConnector { connector }).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::NotFound);

    desk.command(DeskCommand::ReadDeadLetters).await.unwrap();
    assert_eq!(desk.until("the letters", |w| w.letters.clone()).await, []);
    let letter = sightline_wire::ids::DeliveryId(uuid::Uuid::new_v4());
    for command in [
        DeskCommand::ResendLetter { letter },
        DeskCommand::DiscardLetter { letter },
    ] {
        assert_eq!(desk.command(command).await.unwrap_err().code, ErrorCode::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_does_none_of_it() {
    let world = World::with(a_platform).await;
    let desk = world.desk().await;
    for command in [DeskCommand::ReadConnectors, switch(false), DeskCommand::ReadDeadLetters] {
        assert_eq!(desk.command(command).await.unwrap_err().code, ErrorCode::NotAllowed);
    }
}
