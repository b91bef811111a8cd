//! DTLS as str0m does it, but quicker to send a lost flight again.
//!
//! str0m's own set-up waits a second (the default of RFC 9147, 5.8.2, which also says to wait less where delay
//! matters). ICE has just shown that packets get through, and a second is what a customer notices.

use dimpl::Dtls;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::{
    config::{DtlsCert, DtlsVersion},
    crypto::{
        self, CryptoError, CryptoProvider,
        dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion},
    },
};

/// A flight without an answer goes out again after this, then after twice as long, and so on. Longer than the round
/// trip of most calls; a flight sent in vain costs 2 KB.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Half a minute of trying, as with a second and four times.
const TRIES: usize = 7;

/// Everything str0m needs for encryption.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        dtls_provider: &QuickDtls,
        ..crypto::from_feature_flags()
    })
}

#[derive(Debug)]
struct QuickDtls;

impl DtlsProvider for QuickDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        crypto::from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        // ICE has verified the return path, which is what cookies are for.
        let mut config = dimpl::Config::builder()
            .use_server_cookie(false)
            .flight_start_rto(FIRST_WAIT)
            .flight_retries(TRIES);
        if let Some(mtu) = mtu {
            config = config.mtu(mtu);
        }
        let config = config.build().map_err(|error| CryptoError::Other(error.to_string()))?;
        let (config, certificate) = (Arc::new(config), certificate.clone());
        Ok(Box::new(Instance(match version {
            DtlsVersion::Dtls12 => Dtls::new_12(config, certificate, now),
            DtlsVersion::Dtls13 => Dtls::new_13(config, certificate, now),
            DtlsVersion::Auto => Dtls::new_auto(config, certificate, now),
            other => return Err(CryptoError::Other(format!("no DTLS {other}"))),
        })))
    }
}

struct Instance(Dtls);

impl fmt::Debug for Instance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Dtls")
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
