//! The server's certificate: whether it is good, why not, and for how long.
//!
//! Clients say of a bad certificate only that there is no connection. Here a handshake of its own is looked at while
//! it is checked, with the rules of any other.

use super::Trust;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use sightline_call::readiness::figures::CertificateTrouble;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_cert::{Certificate, der::Decode};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was seen of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Until it expires, in whole days; absent when it cannot be read.
    pub days: Option<i32>,
    /// What is not good about it.
    pub trouble: Option<CertificateTrouble>,
}

/// The system's authorities, and the one that a company may add.
pub(super) fn roots(trust: &Trust) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a certificate authority of the system's");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = &trust.extra_ca {
        match CertificateDer::pem_file_iter(path) {
            Ok(certificates) => {
                roots.add_parsable_certificates(certificates.map_while(Result::ok));
            }
            Err(error) => tracing::warn!(%error, "the company's own authority cannot be read"),
        }
    }
    roots
}

/// Shakes hands on a fresh connection. An error means that no certificate came.
pub(super) async fn look(stream: TcpStream, host: &str, roots: RootCertStore) -> io::Result<Looked> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let watching = Arc::new(Watching {
        rules: rules(roots)?,
        seen: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(watching.clone())
        .with_no_client_auth();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let seen = *watching.seen.lock().unwrap_or_else(PoisonError::into_inner);
    match (seen, shaken) {
        (Some(looked), Ok(_)) => Ok(looked),
        (Some(looked), Err(_)) if looked.trouble.is_some() => Ok(looked),
        (_, Err(error)) => Err(error),
        (None, Ok(_)) => Err(io::Error::other("a handshake without a certificate")),
    }
}

/// Those of any other connection; `None` where nobody is trusted.
fn rules(roots: RootCertStore) -> io::Result<Option<Arc<WebPkiServerVerifier>>> {
    if roots.is_empty() {
        return Ok(None);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let rules = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    rules.map(Some).map_err(io::Error::other)
}

/// Checks a certificate as usual, and notes what it saw.
#[derive(Debug)]
struct Watching {
    rules: Option<Arc<WebPkiServerVerifier>>,
    seen: Mutex<Option<Looked>>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.rules {
            Some(rules) => rules.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let read = Certificate::from_der(end_entity.as_ref()).ok();
        let looked = Looked {
            days: read.as_ref().and_then(|certificate| days_left(certificate, now)),
            trouble: verdict
                .as_ref()
                .err()
                .map(|error| trouble_of(error, read.as_ref().is_some_and(signs_itself))),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.rules {
            Some(rules) => rules.verify_tls12_signature(message, cert, dss),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.rules {
            Some(rules) => rules.verify_tls13_signature(message, cert, dss),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn days_left(certificate: &Certificate, now: UnixTime) -> Option<i32> {
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    let end_ms = i64::try_from(end.as_millis()).ok()?;
    let now_ms = i64::try_from(now.as_secs()).ok()?.checked_mul(1_000)?;
    i32::try_from((end_ms - now_ms).div_euclid(DAY_MS)).ok()
}

fn signs_itself(certificate: &Certificate) -> bool {
    let certificate = certificate.tbs_certificate();
    certificate.issuer() == certificate.subject()
}

fn trouble_of(error: &Error, signs_itself: bool) -> CertificateTrouble {
    let Error::InvalidCertificate(why) = error else {
        return CertificateTrouble::Other;
    };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateTrouble::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateTrouble::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateTrouble::WrongName
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateTrouble::Untrusted,
        // An authority that stands in for a server: what a command for a quick certificate makes.
        _ if signs_itself => CertificateTrouble::Untrusted,
        _ => CertificateTrouble::Other,
    }
}

#[cfg(test)]
mod tests;
