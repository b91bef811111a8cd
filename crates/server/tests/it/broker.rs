//! A broker of rooms, of our own invention: it answers as it is told to, and keeps what it was asked and under which short
//! addresses its rooms are to be found.

use crate::platform::Says;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What our token is in these tests: the value of a variable that every test has.
const TOKEN: &str = env!("CARGO_PKG_NAME");

#[derive(Default)]
pub struct Broker {
    asked: Mutex<Vec<(String, Value)>>,
    /// Instead of the next good answers.
    next: Mutex<Vec<Says>>,
    /// Short addresses that were given out.
    kept: Mutex<usize>,
}

impl Broker {
    /// With its table for the deployment's file.
    pub async fn start() -> (Arc<Self>, String) {
        let broker = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let table = format!(
            "[webex_instant_connect]\nbroker_base = \"http://{}\"\nbot_token = \"env:CARGO_PKG_NAME\"\norg_id = \"org-1\"\n",
            listener.local_addr().unwrap()
        );
        let app = Router::new().fallback(Self::hear).with_state(broker.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (broker, table)
    }

    /// Its next answers.
    pub fn says(&self, answers: impl IntoIterator<Item = Says>) {
        self.next.lock().unwrap().extend(answers);
    }

    async fn hear(State(broker): State<Arc<Self>>, headers: HeaderMap, uri: Uri, body: Bytes) -> impl IntoResponse {
        let path = uri.path().to_owned();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        broker.asked.lock().unwrap().push((path.clone(), asked.clone()));
        let mut next = broker.next.lock().unwrap();
        let Says(status, _, said) = if next.is_empty() {
            match headers.get("authorization").and_then(|value| value.to_str().ok()) {
                Some(bearer) if bearer == format!("Bearer {TOKEN}") => {
                    Says(200, Vec::new(), broker.answer(&path, &asked))
                }
                _ => Says::status(401),
            }
        } else {
            next.remove(0)
        };
        (StatusCode::from_u16(status).unwrap(), Json(said))
    }

    fn answer(&self, path: &str, asked: &Value) -> Value {
        if path.ends_with("/meetingInvite") {
            return json!({ "status": "Successful" });
        }
        let key = |side: &str| {
            let mut key = json!({ "cipher": format!("eyJh.{side}") });
            if asked["provideShortUrls"] == json!(true) {
                *self.kept.lock().unwrap() += 1;
                key["short"] = json!(format!("{side}Key"));
            }
            key
        };
        json!({ "host": [key("host")], "guest": [key("guest")], "baseUrl": "https://instant.example/visit/" })
    }

    /// What it was asked at addresses that end so.
    pub fn asked(&self, what: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(path, _)| path.ends_with(what))
            .map(|(_, body)| body.clone())
            .collect()
    }

    /// How many short addresses it keeps.
    pub fn kept(&self) -> usize {
        *self.kept.lock().unwrap()
    }
}
