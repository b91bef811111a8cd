//! The mixed run: a thousand conversations over every connector and the web chat, with faults on both ways and a server that
//! is killed twice. Nothing is lost, nothing stands twice, and everything keeps its order.
//!
//! `MIXED_SEED` runs it with other faults, `MIXED_CONVERSATIONS` with other numbers.

mod courier;
mod faults;
mod hooks;
mod kinds;
mod platforms;
mod verdict;

use crate::{
    harness::{Api, Desk, Folder, password},
    program::Program,
};
use courier::Courier;
use faults::{Proxy, seeded};
use hooks::{Event, Hooks};
use kinds::{Kind, Secrets, Service, Talk};
use platforms::{Platform, Told};
use serde_json::{Value, json};
use sightline_wire::{
    connectors::{ConnectorView, DeadLetter},
    conversation::Conversation,
    directline::ConversationStarted,
    ids::ConversationId,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

/// Customers who are busy at the same time.
const ABREAST: usize = 24;

/// Calls of one connector that may be under way when the server dies.
const UNDERWAY: usize = 16;

/// Nothing takes longer, unless it is broken; beside other tests everything takes its time.
const PATIENCE: Duration = Duration::from_secs(240);

/// After so much of what happens the server is killed, in hundredths.
const KILLS: [usize; 2] = [30, 65];

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_conversations_over_every_connector_survive_faults_and_kills() {
    let seed = setting("MIXED_SEED", 0x5167_4711);
    let count = usize::try_from(setting("MIXED_CONVERSATIONS", 1_000)).unwrap();
    let began = Instant::now();
    let mut run = Run::start(seed).await;
    let talks: Vec<Talk> = (0..count)
        .map(|number| Talk::new(number, Kind::ALL[number % Kind::ALL.len()]))
        .collect();
    run.serve().await;

    let talks = run.all_begin(talks).await;
    eprintln!("{:?}: all have begun", began.elapsed());
    let (desk, ids) = run.accept_all(&talks).await;
    eprintln!("{:?}: all are accepted", began.elapsed());
    let talks = run.all_talk(talks, &desk, &ids).await;
    eprintln!("{:?}: everything is said", began.elapsed());
    run.all_hear(&talks).await;
    eprintln!("{:?}: everything is heard", began.elapsed());

    let all = run.inbox().await;
    assert_eq!(all.len(), count, "as many conversations as there are customers");
    for talk in &talks {
        let messages = run.desk().await.messages(ids[&talk.number]).await;
        run.stands_once(talk, &messages);
        run.went_out_in_order(talk).await;
    }
    run.nobody_else_was_told(&talks);
    run.few_were_under_way(&talks);
    run.nothing_is_left().await;
    run.every_fault_was_met();
    eprintln!("{:?}: {:?} {:?}", began.elapsed(), run.made(), run.courier.met());
}

/// The server, the platforms, and everybody in between.
struct Run {
    seed: u64,
    folder: Folder,
    password: String,
    file: PathBuf,
    secrets: Arc<Secrets>,
    /// How often the server was killed.
    life: Arc<AtomicUsize>,
    came: Arc<Notify>,
    platforms: BTreeMap<Kind, Arc<Platform>>,
    proxies: Vec<Proxy>,
    courier: Arc<Courier>,
    program: Option<Program>,
    session: Option<sightline_wire::account::Session>,
    api: Api,
}

impl Run {
    async fn start(seed: u64) -> Self {
        let (secrets, service) = (Arc::new(Secrets::new()), Arc::new(Service::new()));
        let (life, came) = (Arc::<AtomicUsize>::default(), Arc::new(Notify::new()));
        let (mut platforms, mut proxies, mut urls) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut file = String::new();
        for kind in Kind::ALL
            .into_iter()
            .filter(|kind| !matches!(kind, Kind::Phone | Kind::WebChat))
        {
            let (life, came) = (life.clone(), came.clone());
            let platform = Arc::new(Platform::new(kind, secrets.clone(), service.clone(), life, came));
            let proxy = Proxy::start(seed, platform.clone()).await;
            platform.is_at(&proxy.url);
            file.push_str(&kind.table(&proxy.url));
            urls.insert(kind, proxy.url.clone());
            platforms.insert(kind, platform);
            proxies.push(proxy);
        }
        let folder = Folder::new();
        let path = folder.0.join("sightline.toml");
        std::fs::write(&path, file).unwrap();
        // The address is the same through all its lives; whoever takes a free port takes another one.
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let server = format!("http://{free}");
        let hooks = Hooks {
            server: server.clone(),
            secrets: secrets.clone(),
            service,
            urls,
        };
        Self {
            seed,
            password: password(),
            file: path,
            folder,
            secrets,
            life,
            came,
            platforms,
            proxies,
            courier: Arc::new(Courier::new(hooks, seed)),
            program: None,
            session: None,
            api: Api::new(&server),
        }
    }

    async fn serve(&mut self) {
        let bind = self.courier.hooks.server.trim_start_matches("http://");
        let (database, variables) = (self.folder.database(), self.secrets.variables());
        let program = Program::configured(&database, bind, &self.password, &self.file, &variables).await;
        self.program = Some(program);
        self.courier.up.notify_waiters();
    }

    /// SIGKILL, and the same server again over the same database.
    async fn kill(&mut self) {
        self.program.take().unwrap().kill().await;
        self.life.fetch_add(1, Ordering::SeqCst);
        self.serve().await;
    }

    async fn desk(&mut self) -> Desk {
        if self.session.is_none() {
            self.session = Some(self.api.sign_in("agent", &self.password).await.unwrap());
        }
        Desk {
            api: self.api.clone(),
            session: self.session.clone().unwrap(),
        }
    }

    async fn inbox(&mut self) -> Vec<Conversation> {
        self.desk().await.listen().await.1
    }

    async fn all_begin(&self, talks: Vec<Talk>) -> Vec<Talk> {
        let begin = |mut talk: Talk, courier: Arc<Courier>| async move {
            if talk.kind == Kind::WebChat {
                let url = format!("{}/v1/webchat/tokens", courier.hooks.server);
                let request = courier.http.post(url).json(&json!({}));
                let started: ConversationStarted = request.send().await.unwrap().json().await.unwrap();
                talk.page = Some((started.conversation_id, started.token));
            }
            courier.tell(&talk, Event::Begins).await;
            talk.arrived.extend(talk.customer.first().cloned());
            if talk.kind.is_told_of_receipts() {
                talk.owed.push(format!("{} delivered", talk.id(0)));
            }
            talk
        };
        each(talks.into_iter().map(|talk| begin(talk, self.courier.clone()))).await
    }

    /// The agent accepts everybody; whose conversation is which.
    async fn accept_all(&mut self, talks: &[Talk]) -> (Arc<Desk>, Arc<HashMap<usize, ConversationId>>) {
        let inbox = self.inbox().await;
        assert_eq!(inbox.len(), talks.len(), "one conversation for each customer");
        let by_name: HashMap<_, _> = inbox.iter().map(|c| (c.customer_name.clone(), c.id)).collect();
        let ids: HashMap<_, _> = talks
            .iter()
            .map(|talk| (talk.number, by_name[&talk.kind.customer(talk.number)]))
            .collect();
        let desk = Arc::new(self.desk().await);
        let accept = |id: ConversationId, desk: Arc<Desk>| async move {
            let _: Conversation = desk
                .post(&format!("/v1/conversations/{id}/accept"), json!({}))
                .await
                .unwrap();
        };
        each(ids.values().map(|id| accept(*id, desk.clone()))).await;
        (desk, Arc::new(ids))
    }

    /// Customers and agent write, while the server is killed.
    async fn all_talk(
        &mut self,
        talks: Vec<Talk>,
        desk: &Arc<Desk>,
        ids: &Arc<HashMap<usize, ConversationId>>,
    ) -> Vec<Talk> {
        let (acts, acted) = (Arc::<AtomicUsize>::default(), Arc::new(Notify::new()));
        let total: usize = talks.iter().map(|talk| script(self.seed, talk).len()).sum();
        let talk_on = |mut talk: Talk| {
            let (courier, desk, id, seed) = (self.courier.clone(), desk.clone(), ids[&talk.number], self.seed);
            let (acts, acted) = (acts.clone(), acted.clone());
            async move {
                if talk.kind == Kind::Bot {
                    talk.owed.push("handoff accepted".into());
                }
                for act in script(seed, &talk) {
                    act.happen(&mut talk, &courier, &desk, id).await;
                    acts.fetch_add(1, Ordering::Relaxed);
                    acted.notify_waiters();
                }
                talk
            }
        };
        let talking = tokio::spawn(each(talks.into_iter().map(talk_on).collect::<Vec<_>>()));
        for share in KILLS {
            let reached = async {
                loop {
                    let next = acted.notified();
                    if acts.load(Ordering::Relaxed) * 100 >= total * share {
                        return;
                    }
                    next.await;
                }
            };
            timeout(PATIENCE, reached).await.expect("nothing goes on any more");
            self.kill().await;
        }
        talking.await.unwrap()
    }

    /// Waits until every platform has heard what it is owed and nothing waits in the outbox.
    async fn all_hear(&mut self, talks: &[Talk]) {
        let heard = async {
            loop {
                let next = self.came.notified();
                let missing = |talk: &&Talk| {
                    let told = self.told(talk);
                    talk.owed.iter().any(|what| !told.iter().any(|told| told.what == *what))
                };
                if talks.iter().find(missing).is_none() {
                    return;
                }
                next.await;
            }
        };
        if timeout(PATIENCE, heard).await.is_err() {
            let missing = |talk: &&Talk| self.told(talk).len() < talk.owed.len();
            let some: Vec<_> = talks.iter().filter(missing).take(5).map(Talk::thread).collect();
            panic!("some heard nothing: {some:?}");
        }
        let admin = Desk {
            api: self.api.clone(),
            session: self.api.sign_in("admin", &self.password).await.unwrap(),
        };
        let began = Instant::now();
        loop {
            let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
            if views.iter().all(|view| view.waiting == 0) {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "the outbox does not get empty: {views:?}");
        }
        let dead: Vec<DeadLetter> = admin.get("/v1/dead-letters").await.unwrap();
        assert_eq!(dead, [], "no platform has refused anything");
    }

    fn told(&self, talk: &Talk) -> Vec<Told> {
        let kind = if talk.kind == Kind::Phone {
            Kind::Webhook
        } else {
            talk.kind
        };
        self.platforms
            .get(&kind)
            .map(|platform| platform.told(&talk.thread()))
            .unwrap_or_default()
    }
}

/// One thing that somebody does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Customer(Event),
    Agent(usize),
    WrapUp,
}

/// What happens in a conversation after it has been accepted. With some platforms the customer's words overtake each other.
fn script(seed: u64, talk: &Talk) -> Vec<Act> {
    if talk.kind == Kind::Phone {
        return vec![Act::Customer(Event::Over)];
    }
    let said = |n: usize| Act::Customer(Event::Said(n));
    let overtaken = talk.kind != Kind::WebChat && seeded(seed, &talk.thread()).u8(0..100) < 20;
    let (second, third) = if overtaken { (3, 2) } else { (2, 3) };
    let mut acts = vec![
        said(1),
        Act::Agent(0),
        said(second),
        said(third),
        Act::Agent(1),
        Act::Agent(2),
    ];
    if talk.kind == Kind::Bot {
        acts.push(Act::WrapUp);
    }
    acts
}

impl Act {
    async fn happen(self, talk: &mut Talk, courier: &Courier, desk: &Desk, id: ConversationId) {
        let conversation = format!("/v1/conversations/{id}");
        match self {
            Act::Customer(event) => {
                courier.tell(talk, event).await;
                if let Event::Said(n) = event {
                    talk.arrived.push(talk.customer[n].clone());
                    if talk.kind.is_told_of_receipts() {
                        talk.owed.push(format!("{} delivered", talk.id(n)));
                    }
                }
            }
            Act::Agent(n) => {
                let body = json!({ "client_id": Uuid::new_v4(), "text": talk.agent[n] });
                insist(courier, desk, &format!("{conversation}/messages"), &body).await;
                if talk.kind != Kind::WebChat {
                    talk.owed.push(talk.agent[n].clone());
                }
            }
            Act::WrapUp => {
                insist(
                    courier,
                    desk,
                    &format!("{conversation}/wrap-up"),
                    &json!({ "end_call": false }),
                )
                .await;
                talk.owed.push("handoff completed".into());
            }
        }
    }
}

/// A desk sends until it is answered, each time the same.
async fn insist(courier: &Courier, desk: &Desk, path: &str, body: &Value) {
    loop {
        let request = desk.api.request(reqwest::Method::POST, path);
        let sent = request.bearer_auth(&desk.session.access_token).json(body).send().await;
        if let Ok(answer) = sent {
            let status = answer.status();
            if let Ok(text) = answer.text().await {
                assert!(status.is_success(), "{status}: {text}");
                return;
            }
        }
        let _ = timeout(Duration::from_millis(50), courier.up.notified()).await;
    }
}

/// All of them, so many at a time.
async fn each<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(ABREAST));
    let mut all = JoinSet::new();
    for task in tasks {
        let turns = turns.clone();
        all.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            task.await
        });
    }
    all.join_all().await
}
