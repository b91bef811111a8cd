//! Starting and stopping.

use crate::{
    app::{App, Limits, Stopping},
    bots::{self, Bots},
    config::ServerConfig,
    connectors::{self, Connectors},
    customer::Pages,
    desks::Desks,
    directline::tickets::Tickets,
    echo::{self, Echoes},
    first_accounts,
    gone::{self, Away},
    http::origin::Origins,
    links, outbox,
    readiness::{self, Readinesses},
    rooms::Rooms,
    router::router,
    routing::{self, Assignments},
    supervision::{self, Wall},
    turn::{RelayError, Turn},
};
use axum::Router;
use sightline_store::{Store, StoreError, escalations, rooms};
use sightline_wire::{ErrorCode, account::FirstAccount, escalation::IcePolicy};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};

/// Requests under way may take so long to finish when the server stops.
const FINISH: Duration = Duration::from_secs(5);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The database does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The relay does not start.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A connector's settings are not right.
    #[error("{0}")]
    Connector(String),
    /// The deployment's file does not make sense.
    #[error("the deployment's file: {0}")]
    Deployment(String),
    /// Calls may use nothing but a relay, and there is none.
    #[error("{} {} (relay_missing)", ErrorCode::RelayMissing.message(), ErrorCode::RelayMissing.next_step())]
    NoRelay,
}

/// A server that answers. Dropping it stops it without waiting.
pub struct RunningServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// How customers reach it.
    pub url: String,
    /// What it answers with, for whoever asks without a network.
    pub(crate) router: Router,
    /// Made at this start, with their passwords; empty at every later one.
    pub first_accounts: Vec<FirstAccount>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    sending: JoinHandle<()>,
    delivering: JoinHandle<()>,
    talking: JoinHandle<()>,
    timing: JoinHandle<()>,
    routing: JoinHandle<()>,
    telling: JoinHandle<()>,
    ending: JoinHandle<()>,
    wall: JoinHandle<()>,
    store: Store,
}

/// Starts a server.
pub async fn serve(config: ServerConfig) -> Result<RunningServer, StartError> {
    let bind_error = |source| StartError::Bind {
        address: config.bind,
        source,
    };
    let listener = TcpListener::bind(config.bind).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let store = Store::open(&config.database).await?;
    let turn = Turn::start(&config.turn, address).await?;
    check_policy(&config, &turn)?;
    let plan = routing::plan(&config, &store).await?.map_err(StartError::Deployment)?;
    let first_accounts = first_accounts::create(&store, &config).await?;
    let link_key = links::key(&store).await?;
    let public_url = match &config.public_url {
        Some(url) => url.trim_end_matches('/').to_string(),
        None => format!("http://{address}"),
    };
    let connectors = Connectors::new(&config.deployment, &public_url).map_err(StartError::Connector)?;
    connectors.restore(&store).await?;
    let (stop, stopping) = watch::channel(false);
    let mut stopping = Stopping(stopping);
    let app = Arc::new(App {
        store: store.clone(),
        origins: Origins::new(&public_url, address, &config.extra_origins),
        public_url: public_url.clone(),
        own_url: own_url(address),
        away: Away::new(config.deployment.web_chat.customer_gone_after()),
        config,
        desks: Desks::default(),
        pages: Pages::default(),
        rooms: Rooms::default(),
        readiness: Readinesses::default(),
        assignments: Assignments::new(plan),
        wall: Wall::default(),
        turn,
        echoes: Echoes::default(),
        tickets: Tickets::default(),
        connectors,
        bots: Bots::default(),
        outbox: Notify::new(),
        limits: Limits::default(),
        link_key,
        stopping: stopping.clone(),
    });
    if let Err(refusal) = echo::end_leftovers(&app).await {
        let code = refusal.into_problem().code;
        tracing::error!(?code, "test calls of before could not be put away");
    }
    reopen_rooms(&app).await?;
    readiness::restore(&app).await?;
    routing::restore(&app).await?;
    gone::restore(&app).await?;
    let sending = tokio::spawn(outbox::run(app.clone()));
    let delivering = tokio::spawn(connectors::outbox::run(app.clone()));
    let talking = tokio::spawn(bots::run(app.clone()));
    let timing = tokio::spawn(readiness::timer::run(app.clone()));
    let routing = tokio::spawn(routing::keeper::run(app.clone()));
    let telling = tokio::spawn(routing::waiting::run(app.clone()));
    let ending = tokio::spawn(gone::run(app.clone()));
    let wall = tokio::spawn(supervision::keeper::run(app.clone()));
    let router = router(app);
    let service = router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move {
        let stopped = async move { stopping.stopped().await };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the server stopped listening");
        }
    });
    tracing::info!(%address, "listening");
    Ok(RunningServer {
        address,
        url: public_url,
        router,
        first_accounts,
        stop,
        serving,
        sending,
        delivering,
        talking,
        timing,
        routing,
        telling,
        ending,
        wall,
        store,
    })
}

/// Where a server that listens there reaches itself.
fn own_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// Calls that may use nothing but a relay need one: better told to whoever starts the server than found out by every
/// customer.
fn check_policy(config: &ServerConfig, turn: &Turn) -> Result<(), StartError> {
    let mut others = config.ice_servers.iter().flat_map(|server| &server.urls);
    if !matches!(turn, Turn::Off) || others.any(|url| url.starts_with("turn")) {
        return Ok(());
    }
    if config.ice_policy == IcePolicy::RelayOnly {
        return Err(StartError::NoRelay);
    }
    if config.ice_policy_before_join == IcePolicy::RelayOnly {
        tracing::warn!("no relay: customers' pages connect after the tap on Join only, not ahead of it");
    }
    Ok(())
}

impl RunningServer {
    /// Stops: sockets are closed, requests under way finish, the database is folded up.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if timeout(FINISH, &mut self.serving).await.is_err() {
            tracing::warn!("requests were cut off");
            self.serving.abort();
        }
        let _ = timeout(FINISH, &mut self.sending).await;
        let _ = timeout(FINISH, &mut self.delivering).await;
        let _ = timeout(FINISH, &mut self.talking).await;
        let _ = timeout(FINISH, &mut self.timing).await;
        let _ = timeout(FINISH, &mut self.routing).await;
        let _ = timeout(FINISH, &mut self.telling).await;
        let _ = timeout(FINISH, &mut self.ending).await;
        let _ = timeout(FINISH, &mut self.wall).await;
        let _ = timeout(FINISH, self.store.close()).await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.serving.abort();
    }
}

/// Calls outlive the server: their rooms are there again before the first socket comes back.
async fn reopen_rooms(app: &Arc<App>) -> Result<(), StoreError> {
    let mut c = app.store.read().await?;
    for call in escalations::all_running(&mut c).await? {
        let stored = rooms::get(&mut c, call.room).await?.unwrap_or_default();
        app.rooms.open(app, &call, stored);
    }
    Ok(())
}
