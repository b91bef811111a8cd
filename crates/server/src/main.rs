//! `sightline-server`: the server by itself. Settings come from flags or the environment; secrets only from
//! standard input.

use serde_json::json;
use sightline_server::{
    Deployment, NewAccount, RunningServer, Secret, ServerConfig, TurnConfig, coturn_configuration,
    readiness_from_settings, routing_from_settings, serve, set_password,
};
use sightline_wire::{
    agent::{DEFAULT_MAX_BITRATE, SMALLEST_MAX_BITRATE},
    escalation::IcePolicy,
};
use std::{env, error::Error, io::Read, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// What is logged unless SIGHTLINE_LOG says otherwise: of the echo peer's libraries nothing, because they name addresses.
const LOG: &str = "info,webrtc=off,rtc=off";

const USAGE: &str = "\
sightline-server [FLAGS]            serve
sightline-server passwd EMAIL       set a password, read from standard input
sightline-server coturn-config      a configuration for coturn, from the same settings, to standard output

  --bind ADDRESS:PORT     SIGHTLINE_BIND           default 127.0.0.1:8460; port 0 takes a free one
  --database FILE         SIGHTLINE_DATABASE       default sightline.db
  --public-url URL        SIGHTLINE_PUBLIC_URL     how customers reach the server
  --company NAME          SIGHTLINE_COMPANY        on whose behalf agents speak
  --colour #RRGGBB        SIGHTLINE_COLOUR         the brand's colour
  --origins LIST          SIGHTLINE_ORIGINS        sites that embed the chat, separated by spaces
  --invite-ttl SECONDS    SIGHTLINE_INVITE_TTL_S   default 900
  --seat SECONDS          SIGHTLINE_SEAT_S         how long a lost customer's seat is kept, default 60
  --agent-seat SECONDS    SIGHTLINE_AGENT_SEAT_S   the same for the agent, default 120
  --pages FOLDER          SIGHTLINE_PAGES          serve the customer's pages from here
  --config FILE           SIGHTLINE_CONFIG         connectors, queues and rules (packaging/sightline.toml)
                          SIGHTLINE_DIRECT_LINE_SECRET   opens tokens/generate
                          SIGHTLINE_FIRST_ACCOUNTS_STDIN=1   read the first accounts as JSON from
                                                   standard input: [{email, name, role, password}]
                          SIGHTLINE_ICE_POLICY     direct (default) or relay-only, which needs a relay
                          SIGHTLINE_ICE_POLICY_BEFORE_JOIN   the same ahead of the customer's tap on Join
                          SIGHTLINE_MAX_BITRATE    what a call uses at most, bits a second; default 2500000
                          SIGHTLINE_READINESS      required (default): video only for desks that passed their
                                                   self-test; or advised
                          SIGHTLINE_LEASE_H        how long a passed self-test counts, default 12 hours
                          SIGHTLINE_MINIMUM_VERSION   desks with an older app are not ready
                          SIGHTLINE_ROUTING        pull (default): agents take conversations from the inbox; or push:
                                                   each is assigned to the agent who is free for it
                          SIGHTLINE_LOG            what to log, default info

Relaying calls, for networks that let nothing else through (docs/relay.md):
                          SIGHTLINE_TURN           off, or where to listen (UDP and TCP); by default where the
                                                   server listens, port 3478, unless only this machine reaches it
                          SIGHTLINE_TURN_PUBLIC    addresses others reach it at, separated by spaces
                          SIGHTLINE_TURN_HOST      the name in its certificate
                          SIGHTLINE_TURN_CERT, SIGHTLINE_TURN_KEY   PEM files; with them it speaks TLS too
                          SIGHTLINE_TURN_TLS       where to listen for TLS, default port 5349
                          SIGHTLINE_TURN_PORTS     of relayed calls, default 49152-65535
                          SIGHTLINE_TURN_ALLOW     an intranet's ranges that may be relayed to, as 10.1.0.0/16
                          SIGHTLINE_TURN_TTL_S     how long a credential works, at most and by default 300
                          SIGHTLINE_TURN_URLS, SIGHTLINE_TURN_SECRET   use coturn instead: its turn: and turns:
                                                   addresses and static-auth-secret
";

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new(env::var("SIGHTLINE_LOG").unwrap_or(LOG.into())))
        .init();
    let done = match arguments.first().map(String::as_str) {
        Some("passwd") => passwd(arguments.split_off(1)).await,
        Some("coturn-config") => coturn_config(),
        Some(_) | None => run(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sightline-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Box<dyn Error>> {
    let mut stop = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let server = serve(config(arguments)?).await?;
    announce(&server, accounts_from_stdin());
    tokio::select! {
        _ = stop.0.recv() => {}
        _ = stop.1.recv() => {}
    }
    server.shutdown().await;
    Ok(())
}

/// Standard output is for whoever started the server: passwords that were generated, this once, and where it
/// listens. The log is somewhere else.
fn announce(server: &RunningServer, chosen: bool) {
    if !chosen && !server.first_accounts.is_empty() {
        println!("{}", json!({ "first_accounts": server.first_accounts }));
    }
    println!(
        "{}",
        json!({ "listening": format!("http://{}", server.address), "url": server.url })
    );
}

/// Whether the first accounts come from standard input, with passwords that their sender knows.
fn accounts_from_stdin() -> bool {
    env::var("SIGHTLINE_FIRST_ACCOUNTS_STDIN").is_ok_and(|value| value == "1")
}

async fn passwd(arguments: Vec<String>) -> Result<(), Box<dyn Error>> {
    let [email] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() < 12 {
        return Err("a password needs at least 12 characters".into());
    }
    let settings = Settings { arguments: Vec::new() };
    if set_password(&settings.database(), email, password).await? {
        println!("The password is set. The account is signed out everywhere.");
        Ok(())
    } else {
        Err(format!("nobody has the e-mail address {email}").into())
    }
}

fn coturn_config() -> Result<(), Box<dyn Error>> {
    // Its own address is what the server is told with SIGHTLINE_TURN_URLS; here it only listens.
    let own = |name: &str| (name != "SIGHTLINE_TURN_URLS").then(|| variable(name)).flatten();
    let TurnConfig::Embedded(relay) = TurnConfig::from_settings(own)? else {
        return Err("SIGHTLINE_TURN is off".into());
    };
    let secret = relay
        .secret
        .clone()
        .ok_or("set SIGHTLINE_TURN_SECRET: coturn and the server share it")?;
    print!("{}", coturn_configuration(&relay, secret.expose()));
    Ok(())
}

/// From the environment, where it is not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn policy(name: &str) -> Result<IcePolicy, Box<dyn Error>> {
    match variable(name).as_deref() {
        None | Some("direct") => Ok(IcePolicy::All),
        Some("relay-only") => Ok(IcePolicy::RelayOnly),
        Some(other) => Err(format!("{name} is direct or relay-only, not {other}").into()),
    }
}

/// From sound and the smallest picture up to what no call needs.
fn max_bitrate(bits: &str) -> Result<u32, Box<dyn Error>> {
    let allowed = SMALLEST_MAX_BITRATE..=20_000_000;
    let bits = bits.parse().ok().filter(|bits| allowed.contains(bits));
    bits.ok_or_else(|| {
        let (least, most) = (allowed.start(), allowed.end());
        format!("SIGHTLINE_MAX_BITRATE is bits a second, {least} to {most}; without it, {DEFAULT_MAX_BITRATE}").into()
    })
}

fn config(arguments: Vec<String>) -> Result<ServerConfig, Box<dyn Error>> {
    let settings = Settings { arguments };
    settings.refuse_unknown()?;
    let bind: SocketAddr = settings
        .get("--bind", "SIGHTLINE_BIND")
        .unwrap_or("127.0.0.1:8460".into())
        .parse()?;
    let mut config = ServerConfig::new(bind, settings.database());
    config.public_url = settings.get("--public-url", "SIGHTLINE_PUBLIC_URL");
    if let Some(company) = settings.get("--company", "SIGHTLINE_COMPANY") {
        config.company = company;
    }
    config.brand_colour = settings.get("--colour", "SIGHTLINE_COLOUR");
    if let Some(origins) = settings.get("--origins", "SIGHTLINE_ORIGINS") {
        config.extra_origins = origins.split_whitespace().map(String::from).collect();
    }
    if let Some(seconds) = settings.seconds("--invite-ttl", "SIGHTLINE_INVITE_TTL_S")? {
        config.invite_ttl = Duration::from_secs(seconds);
    }
    if let Some(seconds) = settings.seconds("--seat", "SIGHTLINE_SEAT_S")? {
        config.seat_times.customer_ms = i64::try_from(seconds)?.saturating_mul(1_000);
    }
    if let Some(seconds) = settings.seconds("--agent-seat", "SIGHTLINE_AGENT_SEAT_S")? {
        config.seat_times.agent_ms = i64::try_from(seconds)?.saturating_mul(1_000);
    }
    config.turn = TurnConfig::from_settings(variable)?;
    config.ice_policy = policy("SIGHTLINE_ICE_POLICY")?;
    config.ice_policy_before_join = policy("SIGHTLINE_ICE_POLICY_BEFORE_JOIN")?;
    if let Some(bits) = variable("SIGHTLINE_MAX_BITRATE") {
        config.max_bitrate = max_bitrate(&bits)?;
    }
    config.readiness = readiness_from_settings(variable)?;
    config.routing = routing_from_settings(variable)?;
    if let Some(file) = settings.get("--config", "SIGHTLINE_CONFIG") {
        config.deployment = Deployment::read(file.as_ref())?;
    }
    config.pages = settings.get("--pages", "SIGHTLINE_PAGES").map(PathBuf::from);
    config.direct_line_secret = env::var("SIGHTLINE_DIRECT_LINE_SECRET").ok().map(Secret::new);
    if accounts_from_stdin() {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        let accounts: Vec<NewAccount> = serde_json::from_str(&text)?;
        config.first_accounts = accounts;
    }
    Ok(config)
}

/// Flags, and the environment where a flag is missing.
struct Settings {
    arguments: Vec<String>,
}

impl Settings {
    fn get(&self, flag: &str, variable: &str) -> Option<String> {
        self.arguments
            .chunks(2)
            .find(|pair| pair[0] == flag)
            .and_then(|pair| pair.get(1).cloned())
            .filter(|value| !value.is_empty())
            .or_else(|| self::variable(variable))
    }

    fn seconds(&self, flag: &str, variable: &str) -> Result<Option<u64>, Box<dyn Error>> {
        Ok(self.get(flag, variable).map(|text| text.parse()).transpose()?)
    }

    fn database(&self) -> PathBuf {
        self.get("--database", "SIGHTLINE_DATABASE")
            .unwrap_or("sightline.db".into())
            .into()
    }

    fn refuse_unknown(&self) -> Result<(), Box<dyn Error>> {
        const FLAGS: [&str; 11] = [
            "--bind",
            "--database",
            "--public-url",
            "--company",
            "--colour",
            "--origins",
            "--invite-ttl",
            "--seat",
            "--agent-seat",
            "--pages",
            "--config",
        ];
        for pair in self.arguments.chunks(2) {
            if !FLAGS.contains(&pair[0].as_str()) || pair.len() < 2 {
                return Err(format!("{} is not understood\n\n{USAGE}", pair[0]).into());
            }
        }
        Ok(())
    }
}
