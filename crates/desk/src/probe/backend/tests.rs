use super::*;
use rcgen::generate_simple_self_signed;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use sightline_call::readiness::figures::CertificateTrouble;
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Something that answers every request with the same bytes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4_096];
                // The step before only connects.
                if stream.read(&mut request).await.is_ok_and(|size| size > 0) {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    format!("http://{address}")
}

async fn asked(base: &str) -> BackendMeasured {
    backend_trusting(base, RootCertStore::empty()).await
}

#[tokio::test]
async fn what_answers_is_told_apart() {
    let cases = [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 51\r\nconnection: close\r\n\r\n\
             {\"product\":\"sightline\",\"version\":\"0.1.0\",\"at\":1234}",
            BackendAnswer::Ours,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 19\r\nconnection: close\r\n\r\n<html>Sign in here.",
            BackendAnswer::Foreign { status: 200, to: None },
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://portal.example/sign-in\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n",
            BackendAnswer::Foreign {
                status: 302,
                to: Some("portal.example".into()),
            },
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            BackendAnswer::Failing { status: 502 },
        ),
        (
            "HTTP/1.1 511 Network Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            BackendAnswer::Foreign { status: 511, to: None },
        ),
    ];
    for (answer, expected) in cases {
        let measured = asked(&answering(answer).await).await;
        assert_eq!(measured.answer, Ok(expected));
        assert_eq!(measured.server, "127.0.0.1");
        assert!(measured.answered_ms.is_some() && measured.certificate_days.is_none());
    }
}

#[tokio::test]
async fn a_server_without_the_route_is_known_by_its_words() {
    let problem = serde_json::to_vec(&Problem::new(sightline_wire::ErrorCode::NotFound)).unwrap();
    assert_eq!(read(404, None, &problem), BackendAnswer::Ours);
    let foreign = BackendAnswer::Foreign { status: 404, to: None };
    assert_eq!(read(404, None, b"<h1>404</h1>"), foreign);
}

#[tokio::test]
async fn what_does_not_answer_is_told_apart() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = taken.local_addr().unwrap();
    drop(taken);
    assert_eq!(
        asked(&format!("http://{free}")).await.answer,
        Err(BackendTrouble::Refused)
    );

    let broken = asked(&answering("NOT HTTP AT ALL\r\n\r\n").await).await;
    assert_eq!(broken.answer, Err(BackendTrouble::Broken));
    assert_eq!(broken.answered_ms, None);

    // It takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    assert_eq!(
        asked(&format!("http://{address}")).await.answer,
        Err(BackendTrouble::Silent)
    );

    // A name that can have no address (RFC 6761, 6.4).
    let nameless = asked("http://desk.invalid").await.answer;
    assert!(
        matches!(nameless, Err(BackendTrouble::Unresolved | BackendTrouble::NoNetwork)),
        "{nameless:?}"
    );
    assert_eq!(asked("not an address").await.answer, Err(BackendTrouble::Broken));
}

#[tokio::test]
async fn a_certificate_nobody_knows_is_named_before_anything_is_asked() {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Nothing is asked over a connection that is not trusted: it ends in the handshake.
        assert!(acceptor.accept(stream).await.is_err());
    });
    let measured = asked(&format!("https://localhost:{port}")).await;
    serving.await.unwrap();
    let untrusted = BackendTrouble::Certificate(CertificateTrouble::Untrusted);
    assert_eq!(measured.answer, Err(untrusted));
    assert!(measured.certificate_days.is_some_and(|days| days > 1_000));
}
