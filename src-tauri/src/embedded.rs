//! The built-in server, for a desk that was not told of another one.

use crate::options::Options;
use sightline_desk::StartedServer;
use sightline_server::{RunningServer, ServerConfig, StartError, serve};
use sightline_wire::{ErrorCode, Problem};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps the server running until the app ends.
#[derive(Clone, Default)]
pub struct Embedded {
    running: Arc<Mutex<Option<RunningServer>>>,
}

impl Embedded {
    /// Starts it.
    pub async fn start(self, options: Options) -> Result<StartedServer, Problem> {
        let mut server =
            match serve(config(&options, options.embedded.port)).await {
                Err(StartError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                    tracing::warn!(port = options.embedded.port, "the port is taken, using a free one");
                    serve(config(&options, 0)).await
                }
                other => other,
            }
            .map_err(|error| {
                tracing::error!(%error, "the built-in server does not start");
                match error {
                    StartError::Bind { .. } => Problem::new(ErrorCode::ServerUnreachable)
                        .saying("The built-in server could not open a port on this machine."),
                    StartError::Relay(_) => Problem::new(ErrorCode::ServerUnreachable)
                        .saying("The built-in server could not start its relay. The log says why."),
                    StartError::Connector(why) | StartError::Deployment(why) => Problem::new(ErrorCode::BadSettings)
                        .saying(format!("The deployment's file is not right: {why}")),
                    StartError::NoRelay => Problem::new(ErrorCode::RelayMissing),
                    StartError::Store(_) => Problem::new(ErrorCode::StorageFailed)
                        .saying("The built-in server's database could not be opened."),
                }
            })?;
        let url = format!("http://{}", server.address);
        let first_accounts = std::mem::take(&mut server.first_accounts);
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(server);
        Ok(StartedServer { url, first_accounts })
    }

    /// Stops it, if it runs.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = running {
            server.shutdown().await;
        }
    }
}

fn config(options: &Options, port: u16) -> ServerConfig {
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut config = ServerConfig::new(bind, options.data_dir.join("server.sqlite"));
    if let Some(company) = &options.embedded.company {
        config.company.clone_from(company);
    }
    if let Some(ttl) = options.embedded.invite_ttl {
        config.invite_ttl = ttl;
    }
    if let Some(seat) = options.embedded.seat {
        config.seat_times.customer_ms = i64::try_from(seat.as_millis()).unwrap_or(i64::MAX);
    }
    config.readiness.clone_from(&options.embedded.readiness);
    config.routing.clone_from(&options.embedded.routing);
    config.deployment.clone_from(&options.embedded.deployment);
    config
}
