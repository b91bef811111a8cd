//! How a server is set up.

use crate::{deployment::Deployment, readiness::policy::default_policy, routing::RoutingMode, turn::TurnConfig};
use sightline_call::seats::SeatTimes;
use sightline_wire::{
    account::Role,
    agent::DEFAULT_MAX_BITRATE,
    escalation::{IcePolicy, IceServer},
    readiness::ReadinessPolicy,
};
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// Everything a deployment can choose. [`ServerConfig::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The database file.
    pub database: PathBuf,
    /// How customers reach the server, for links; by default the bound address.
    pub public_url: Option<String>,
    /// On whose behalf agents speak.
    pub company: String,
    /// The brand's colour on the customer's pages, `#rrggbb`; the product's own without it.
    pub brand_colour: Option<String>,
    /// Other origins whose pages may embed the chat and use its interface.
    pub extra_origins: Vec<String>,
    /// How long a link works for someone who has not joined.
    pub invite_ttl: Duration,
    /// How long an empty seat is kept.
    pub seat_times: SeatTimes,
    /// How long a desk's test call may last; it takes ten seconds.
    pub test_call_time: Duration,
    /// How long an access token works.
    pub access_ttl: Duration,
    /// For `tokens/generate` by a customer's own backend; without it that route is closed.
    pub direct_line_secret: Option<Secret>,
    /// Who relays calls that cannot be direct.
    pub turn: TurnConfig,
    /// For ICE, besides the relay.
    pub ice_servers: Vec<IceServer>,
    /// Whether calls may be direct.
    pub ice_policy: IcePolicy,
    /// Whether the customer's page may connect directly ahead of the tap on Join; never laxer than `ice_policy`.
    pub ice_policy_before_join: IcePolicy,
    /// What a call may use at most, bits a second.
    pub max_bitrate: u32,
    /// What desks have to show before they are given video.
    pub readiness: ReadinessPolicy,
    /// Whether agents take conversations or are asked to.
    pub routing: RoutingMode,
    /// What stands in the deployment's own file.
    pub deployment: Deployment,
    /// Created at the first start; those without a password get a generated one.
    pub first_accounts: Vec<NewAccount>,
    /// Serve the customer's pages from this folder instead of the embedded ones.
    pub pages: Option<PathBuf>,
}

impl ServerConfig {
    /// The defaults, listening at `bind` over the database at `database`.
    pub fn new(bind: SocketAddr, database: impl Into<PathBuf>) -> Self {
        Self {
            bind,
            database: database.into(),
            public_url: None,
            company: "Sightline".into(),
            brand_colour: None,
            extra_origins: Vec::new(),
            invite_ttl: Duration::from_secs(15 * 60),
            seat_times: SeatTimes::default(),
            test_call_time: Duration::from_secs(30),
            access_ttl: Duration::from_secs(15 * 60),
            direct_line_secret: None,
            turn: TurnConfig::default(),
            ice_servers: Vec::new(),
            ice_policy: IcePolicy::default(),
            ice_policy_before_join: IcePolicy::default(),
            max_bitrate: DEFAULT_MAX_BITRATE,
            readiness: default_policy(),
            routing: RoutingMode::default(),
            deployment: Deployment::default(),
            first_accounts: NewAccount::one_of_each(),
            pages: None,
        }
    }
}

/// An account to be created at the first start.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct NewAccount {
    /// Sign-in name.
    pub email: String,
    /// Shown to customers and colleagues.
    pub name: String,
    /// What the account may do.
    pub role: Role,
    /// Generated when absent.
    #[serde(default)]
    pub password: Option<Secret>,
}

impl NewAccount {
    /// One account of each role.
    pub fn one_of_each() -> Vec<Self> {
        [
            ("agent@sightline.local", "Agent", Role::Agent),
            ("supervisor@sightline.local", "Supervisor", Role::Supervisor),
            ("admin@sightline.local", "Admin", Role::Admin),
        ]
        .into_iter()
        .map(|(email, name, role)| Self {
            email: email.into(),
            name: name.into(),
            role,
            password: None,
        })
        .collect()
    }
}

/// A text that is never printed.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
