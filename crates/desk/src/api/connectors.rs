//! The routes of connectors and of dead letters.

use super::{Api, Empty, is_final, parse};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{
    Problem,
    connectors::{ConnectorKind, ConnectorTest, ConnectorView, DeadLetter, SaveConnector},
    ids::{ConversationId, DeliveryId},
    meeting::{MakeMeeting, MeetingMade},
};
use std::time::Duration;

/// The server waits for a platform's answers, to its sign-in and to a second attempt too.
const PLATFORM_TIMEOUT: Duration = Duration::from_secs(30);

impl Api {
    /// Every connector.
    pub async fn connectors(&self) -> Result<Vec<ConnectorView>, Problem> {
        self.call(Method::GET, "/v1/connectors", None::<&()>).await
    }

    /// Calls a connector's platform.
    pub async fn test_connector(&self, name: &str) -> Result<ConnectorTest, Problem> {
        self.ask_platform(&format!("/v1/connectors/{name}/test"), &Empty {})
            .await
    }

    /// Makes the conversation's room elsewhere; repeating it invites nobody twice.
    pub async fn make_meeting(&self, id: ConversationId, wanted: &MakeMeeting) -> Result<MeetingMade, Problem> {
        self.ask_platform(&format!("/v1/conversations/{id}/meeting"), wanted)
            .await
    }

    async fn ask_platform<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Problem> {
        let token = self.access_token().await?;
        let post = async |token: &str| {
            self.send_within(PLATFORM_TIMEOUT, Method::POST, path, Some(token), Some(body))
                .await
        };
        let answer = match post(&token).await {
            Err(problem) if is_final(&problem) => post(&self.replace_token(&token).await?).await,
            other => other,
        };
        parse(&answer?)
    }

    /// Switches a connector on or off; answers with every connector.
    pub async fn switch_connector(&self, name: &str, on: bool) -> Result<Vec<ConnectorView>, Problem> {
        let path = format!("/v1/connectors/{name}/{}", if on { "enable" } else { "disable" });
        self.call(Method::POST, &path, Some(&Empty {})).await
    }

    /// What can be set up.
    pub async fn connector_kinds(&self) -> Result<Vec<ConnectorKind>, Problem> {
        self.call(Method::GET, "/v1/connector-kinds", None::<&()>).await
    }

    /// Sets a connector up, or gives it other settings; all of them as they stand then.
    pub async fn save_connector(&self, name: &str, settings: &SaveConnector) -> Result<Vec<ConnectorView>, Problem> {
        self.call(Method::PUT, &format!("/v1/connectors/{name}"), Some(settings))
            .await
    }

    /// Disconnects a platform; all of them as they stand then.
    pub async fn remove_connector(&self, name: &str) -> Result<Vec<ConnectorView>, Problem> {
        self.call(Method::DELETE, &format!("/v1/connectors/{name}"), None::<&()>)
            .await
    }

    /// What did not reach a platform, the newest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Problem> {
        self.call(Method::GET, "/v1/dead-letters", None::<&()>).await
    }

    /// Sends a dead letter again.
    pub async fn resend_letter(&self, id: DeliveryId) -> Result<(), Problem> {
        self.call(Method::POST, &format!("/v1/dead-letters/{id}/resend"), Some(&Empty {}))
            .await
    }

    /// Gives a dead letter up for good.
    pub async fn discard_letter(&self, id: DeliveryId) -> Result<(), Problem> {
        self.call(Method::POST, &format!("/v1/dead-letters/{id}/discard"), Some(&Empty {}))
            .await
    }
}
