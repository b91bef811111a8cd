//! The routes of readiness and of the test call.

use super::{Api, Empty};
use reqwest::Method;
use sightline_wire::{
    Problem,
    escalation::VideoStarted,
    ids::{AccountId, EscalationId},
    readiness::{EchoHeard, MyReadiness, Report, TestCall},
};

impl Api {
    /// This desk's lease, and what counts in this deployment.
    pub async fn readiness(&self) -> Result<MyReadiness, Problem> {
        self.call(Method::GET, "/v1/readiness", None::<&()>).await
    }

    /// A self-test; one that is sent twice counts once.
    pub async fn send_report(&self, report: &Report) -> Result<MyReadiness, Problem> {
        self.call(Method::POST, "/v1/readiness/reports", Some(report)).await
    }

    /// The last self-tests of an agent, the newest first.
    pub async fn reports(&self, agent: AccountId) -> Result<Vec<Report>, Problem> {
        let path = format!("/v1/readiness/agents/{agent}/reports");
        self.call(Method::GET, &path, None::<&()>).await
    }

    /// The readiness board as a table.
    pub async fn board_csv(&self) -> Result<Vec<u8>, Problem> {
        self.fetch(Method::GET, "/v1/readiness/board.csv", None::<&()>).await
    }

    /// Asks an agent's desk to test itself.
    pub async fn ask_for_test(&self, agent: AccountId) -> Result<(), Problem> {
        let path = format!("/v1/readiness/agents/{agent}/test");
        self.call(Method::POST, &path, Some(&Empty {})).await
    }

    /// Asks for a call with the echo peer.
    pub async fn start_test_call(&self, wanted: TestCall) -> Result<VideoStarted, Problem> {
        self.call(Method::POST, "/v1/self-test/calls", Some(&wanted)).await
    }

    /// What the echo peer has seen and heard of us so far.
    pub async fn heard(&self, call: EscalationId) -> Result<EchoHeard, Problem> {
        let path = format!("/v1/self-test/calls/{call}/heard");
        self.call(Method::GET, &path, None::<&()>).await
    }
}
