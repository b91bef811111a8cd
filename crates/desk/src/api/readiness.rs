//! The routes of readiness and of the test call.

use super::{Api, Empty, is_final, parse, refusal, unreachable};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{
    Problem,
    escalation::VideoStarted,
    ids::{AccountId, DeskId, EscalationId},
    readiness::{EchoHeard, MyReadiness, Report, TestCall},
};

/// Says which desk speaks, as in a socket's hello: a lease belongs to one desk of one agent.
const DESK: &str = "x-sightline-desk";

impl Api {
    /// This desk's lease, and what counts in this deployment.
    pub async fn readiness(&self, desk: DeskId) -> Result<MyReadiness, Problem> {
        self.at_desk(Method::GET, "/v1/readiness", desk, None::<&()>).await
    }

    /// A self-test of this desk; one that is sent twice counts once.
    pub async fn send_report(&self, desk: DeskId, report: &Report) -> Result<MyReadiness, Problem> {
        self.at_desk(Method::POST, "/v1/readiness/reports", desk, Some(report))
            .await
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

    /// An authorised call that names the desk; a token that died early is replaced once.
    async fn at_desk<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        desk: DeskId,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Problem> {
        let token = self.access_token().await?;
        match self.send_at_desk(method.clone(), path, desk, &token, body).await {
            Err(problem) if is_final(&problem) => {
                let token = self.replace_token(&token).await?;
                self.send_at_desk(method, path, desk, &token, body).await
            }
            other => other,
        }
    }

    async fn send_at_desk<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        desk: DeskId,
        token: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Problem> {
        let address = format!("{}{path}", self.inner.base);
        let mut request = self.inner.http.request(method, address).bearer_auth(token);
        request = request.header(DESK, desk.to_string());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            parse(&bytes)
        } else {
            Err(refusal(status, &bytes))
        }
    }
}
