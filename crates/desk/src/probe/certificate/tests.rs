use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority of this test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    fn trusted(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }

    /// A certificate for `name` with the years of its beginning and end.
    fn signs(&self, name: &str, from: i32, to: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        (certificate, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }
}

/// A server that shows this certificate once, looked at as `localhost`.
async fn looked_at(
    (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    roots: RootCertStore,
) -> io::Result<Looked> {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // A client that does not like the certificate hangs up.
        let _ = acceptor.accept(stream).await;
    });
    let looked = look(TcpStream::connect(address).await.unwrap(), "localhost", roots).await;
    serving.await.unwrap();
    looked
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_has_its_own_name() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cases = [
        (authority.signs("localhost", 2000, 2100), None),
        (
            authority.signs("localhost", 2000, 2001),
            Some(CertificateTrouble::Expired),
        ),
        (
            authority.signs("localhost", 2099, 2100),
            Some(CertificateTrouble::NotYetValid),
        ),
        (
            authority.signs("elsewhere.example", 2000, 2100),
            Some(CertificateTrouble::WrongName),
        ),
        (
            stranger.signs("localhost", 2000, 2100),
            Some(CertificateTrouble::Untrusted),
        ),
    ];
    for (shown, expected) in cases {
        let looked = looked_at(shown, authority.trusted()).await.unwrap();
        assert_eq!(looked.trouble, expected);
    }
}

#[tokio::test]
async fn an_authority_in_a_servers_place_is_trusted_by_nobody() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let shown = (certificate, PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    let looked = looked_at(shown, Authority::new().trusted()).await.unwrap();
    assert_eq!(looked.trouble, Some(CertificateTrouble::Untrusted));
}

#[tokio::test]
async fn the_days_that_are_left_are_told_of_a_bad_one_too() {
    let authority = Authority::new();
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap();
    for (year, trouble) in [(2100, None), (2001, Some(CertificateTrouble::Expired))] {
        let end = date_time_ymd(year, 1, 1).unix_timestamp();
        let looked = looked_at(authority.signs("localhost", 2000, year), authority.trusted())
            .await
            .unwrap();
        assert_eq!(looked.trouble, trouble);
        let days = i64::from(looked.days.unwrap());
        assert!((days - (end - now).div_euclid(86_400)).abs() <= 1, "{days}");
    }
}

#[tokio::test]
async fn on_a_machine_that_trusts_nobody_no_certificate_is_good() {
    let authority = Authority::new();
    let looked = looked_at(authority.signs("localhost", 2000, 2100), RootCertStore::empty()).await;
    assert_eq!(looked.unwrap().trouble, Some(CertificateTrouble::Untrusted));
}

#[tokio::test]
async fn what_speaks_no_tls_has_no_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let stream = TcpStream::connect(address).await.unwrap();
    assert!(look(stream, "localhost", Authority::new().trusted()).await.is_err());
    serving.await.unwrap();
}

#[test]
fn a_company_may_add_an_authority_and_a_folder_is_none() {
    let folder = std::env::temp_dir().join(format!("sightline-ca-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let file = folder.join("ca.pem");
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    let count = |extra_ca| roots(&Trust { extra_ca }).len();
    let system = count(None);
    assert_eq!(count(Some(file)), system + 1);
    assert_eq!(count(Some(folder.clone())), system);
    std::fs::remove_dir_all(&folder).unwrap();
}
