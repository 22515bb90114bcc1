//! Does the service speak with whom it should, as it should? Real sockets, certificates made for the test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::connections::serve;
use crate::tls::{Tls, TlsError, TlsOptions};

/// An authority and what it certified, as files.
struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("authority.pem"), issuer.pem()).unwrap();
        Self { dir, issuer }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// Certifies `NAME.pem` with the key `NAME.key`.
    fn certify(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        fs::write(self.path(&format!("{name}.pem")), params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// A service called `khop`.
    fn options(&self, clients: Option<&Self>) -> TlsOptions {
        self.certify("khop");
        let client_authorities = clients.map(|clients| clients.path("authority.pem"));
        TlsOptions { certificate: self.path("khop.pem"), key: self.path("khop.key"), client_authorities }
    }

    /// A client that trusts this authority, and shows the certificate of that name of another.
    fn client(&self, shows: Option<(&Self, &str)>, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.path("authority.pem"))).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let builder = builder.with_root_certificates(roots);
        match shows {
            None => builder.with_no_client_auth(),
            Some((issuer, name)) => {
                let key = PrivateKeyDer::from_pem_file(issuer.path(&format!("{name}.key"))).unwrap();
                let chain = vec![certificate(&issuer.path(&format!("{name}.pem")))];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        }
    }
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// The service on a port of its own.
struct Serving {
    rig: Rig,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Serving {
    async fn with(tls: Option<TlsOptions>) -> Self {
        let rig = Rig::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let tls = tls.map(|options| Tls::new(options).unwrap());
        let ended = tokio::spawn(serve(listener, tls, rig.app.clone(), stopped));
        Self { rig, address, stop: Some(stop), ended }
    }

    /// A TLS connection, or why there is none. That a certificate is missing is told with the first bytes read.
    async fn connect(&self, client: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        TlsConnector::from(Arc::new(client)).connect(ServerName::try_from("khop").unwrap(), stream).await
    }

    /// What is answered to `GET /readyz` over TLS.
    async fn ready(&self, client: ClientConfig) -> std::io::Result<String> {
        ask(self.connect(client).await?, "GET /readyz HTTP/1.1\r\nhost: khop\r\nconnection: close\r\n\r\n").await
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn tls_1_3_is_spoken_and_nothing_older_and_nothing_in_the_clear() {
    let authority = Authority::new();
    let serving = Serving::with(Some(authority.options(None))).await;
    let answer = serving.ready(authority.client(None, &TLS13)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(serving.ready(authority.client(None, &TLS12)).await.is_err());
    assert!(
        serving.ready(Authority::new().client(None, &TLS13)).await.is_err(),
        "a client that knows no such authority"
    );
    let clear =
        ask(TcpStream::connect(serving.address).await.unwrap(), "GET /readyz HTTP/1.1\r\nhost: khop\r\n\r\n").await;
    assert!(!clear.unwrap_or_default().contains("HTTP/1.1"));
}

#[tokio::test]
async fn with_authorities_of_clients_nobody_else_is_spoken_to_and_a_credential_is_still_asked_for() {
    let (authority, gates, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let serving = Serving::with(Some(authority.options(Some(&gates)))).await;
    gates.certify("gate-7");
    strangers.certify("gate-7");
    assert!(serving.ready(authority.client(None, &TLS13)).await.is_err());
    assert!(serving.ready(authority.client(Some((&strangers, "gate-7")), &TLS13)).await.is_err());
    let known = || authority.client(Some((&gates, "gate-7")), &TLS13);
    assert!(serving.ready(known()).await.unwrap().starts_with("HTTP/1.1 200"));
    let metrics = "GET /metrics HTTP/1.1\r\nhost: khop\r\nconnection: close\r\n\r\n";
    let answer = ask(serving.connect(known()).await.unwrap(), metrics).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn http_2_is_spoken_to_whoever_asks_for_it() {
    let authority = Authority::new();
    let serving = Serving::with(Some(authority.options(None))).await;
    let mut client = authority.client(None, &TLS13);
    client.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TokioIo::new(serving.connect(client).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    for (path, status) in [("/readyz", 200), ("/metrics", 401)] {
        let request = Request::get(format!("https://khop{path}")).body(Body::empty()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), status);
    }
    let big = Request::get("https://khop/readyz").header("x-filler", "x".repeat(17 << 10)).body(Body::empty());
    let refused = sender.send_request(big.unwrap()).await;
    assert!(refused.map_or(true, |answer| answer.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let serving = Serving::with(None).await;
    let stream = TcpStream::connect(serving.address).await.unwrap();
    let filler = "x".repeat(17 << 10);
    let answer =
        ask(stream, &format!("GET /readyz HTTP/1.1\r\nhost: khop\r\nx-filler: {filler}\r\n\r\n")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn certificates_that_changed_are_shown_and_unusable_ones_are_not() {
    let (old, new) = (Authority::new(), Authority::new());
    let options = old.options(None);
    let tls = Tls::new(options.clone()).unwrap();
    let first = tls.config();
    // Until it is time to look again, and while nothing has changed, it stays the same.
    assert!(Arc::ptr_eq(&first, &tls.config()));
    let replace = |file: &Path, text: Vec<u8>| {
        fs::write(file, text).unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        fs::File::options().append(true).open(file).unwrap().set_modified(later).unwrap();
    };
    replace(&options.certificate, b"no certificate".to_vec());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(Arc::ptr_eq(&first, &tls.config()), "what cannot be used is not used");
    let renewed = new.options(None);
    replace(&options.certificate, fs::read(&renewed.certificate).unwrap());
    replace(&options.key, fs::read(&renewed.key).unwrap());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(!Arc::ptr_eq(&first, &tls.config()));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let good = authority.options(None);
    authority.certify("other");
    let refused = |options: TlsOptions| Tls::new(options).map(|_| ()).unwrap_err();
    let missing = refused(TlsOptions { certificate: authority.path("none.pem"), ..good.clone() });
    assert!(matches!(&missing, TlsError::File { path, .. } if path.ends_with("none.pem")), "{missing}");
    let no_key = refused(TlsOptions { key: good.certificate.clone(), ..good.clone() });
    assert!(no_key.to_string().contains("expected a private key in PEM"), "{no_key}");
    let empty = refused(TlsOptions { certificate: good.key.clone(), ..good.clone() });
    assert!(empty.to_string().contains("expected certificates in PEM"), "{empty}");
    let strangers = refused(TlsOptions { key: authority.path("other.key"), ..good.clone() });
    assert!(matches!(strangers, TlsError::Pair { .. }), "{strangers}");
    let no_authority = refused(TlsOptions { client_authorities: Some(good.key.clone()), ..good });
    assert!(no_authority.to_string().contains("khop.key"), "{no_authority}");
}

#[tokio::test]
async fn a_service_that_stops_closes_what_is_idle_and_takes_nothing_new() {
    let authority = Authority::new();
    let mut serving = Serving::with(Some(authority.options(None))).await;
    let mut idle = serving.connect(authority.client(None, &TLS13)).await.unwrap();
    idle.write_all(b"GET /readyz HTTP/1.1\r\nhost: khop\r\n\r\n").await.unwrap();
    let mut begin = [0; 12];
    idle.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    serving.stop.take().unwrap().send(()).unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    serving.ended.await.unwrap();
    assert!(TcpStream::connect(serving.address).await.is_err());
    assert_eq!(serving.rig.service.in_flight(), 0);
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let authority = Authority::new();
    let (tls, clear) = (Serving::with(Some(authority.options(None))).await, Serving::with(None).await);
    let no_handshake = TcpStream::connect(tls.address).await.unwrap();
    let no_head = TcpStream::connect(clear.address).await.unwrap();
    let mut half_a_head = TcpStream::connect(clear.address).await.unwrap();
    half_a_head.write_all(b"GET /readyz HTTP/1.1\r\nhost:").await.unwrap();
    let mut client = authority.client(None, &TLS13);
    client.alpn_protocols = vec![b"h2".to_vec()];
    let no_preface = tls.connect(client).await.unwrap();
    tokio::time::pause(); // from here on time passes when everybody waits
    let closed = async |mut stream: Box<dyn AsyncRead + Unpin>| {
        let mut rest = Vec::new();
        let _reset_or_closed = timeout(Duration::from_secs(600), stream.read_to_end(&mut rest)).await.expect("closed");
    };
    closed(Box::new(no_handshake)).await;
    closed(Box::new(no_head)).await;
    closed(Box::new(half_a_head)).await;
    closed(Box::new(no_preface)).await;
}
