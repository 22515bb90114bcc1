//! Which certificate does the service show, and which must its clients show? TLS 1.3 alone, files read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};

use crate::watched::{LOOK_EVERY, Watched};

/// What can be spoken inside, the better first.
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// Files of one service's TLS, all PEM.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// The service's certificate, then those between it and the authority that clients know.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// The authorities of clients. With these nobody is spoken to who does not show a certificate of theirs.
    pub client_authorities: Option<PathBuf>,
}

/// Why no TLS can be spoken with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One cannot be read, or is not what it should be.
    #[error("{path}: expected {expected}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// They do not belong together.
    #[error("{certificate} and {key}: {cause}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// What is wrong.
        cause: rustls::Error,
    },
}

/// What connections are begun with: as the files say, at most a second ago. Where they cannot be used, as they said before.
pub(crate) struct Tls(Watched<ServerConfig>);

impl Tls {
    /// Reads the files.
    pub(crate) fn new(options: TlsOptions) -> Result<Self, TlsError> {
        let config = options.read()?;
        let paths =
            [&options.certificate, &options.key].into_iter().chain(&options.client_authorities).cloned().collect();
        let read = move || options.read().map_err(|error| error.to_string());
        Ok(Self(Watched::new(paths, config, read, Arc::clone)))
    }

    /// What the next connection is begun with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.0.within(LOOK_EVERY)
    }
}

impl TlsOptions {
    fn read(&self) -> Result<ServerConfig, TlsError> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|cause| file(&self.key, "a private key in PEM", &cause))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[&TLS13]).map_err(|cause| self.pair(cause))?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path)? {
                    roots.add(authority).map_err(|cause| file(path, "certificates of authorities", &cause))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                let verifier = verifier.map_err(|cause| file(path, "certificates of authorities", &cause))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|cause| self.pair(cause))?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(config)
    }

    fn pair(&self, cause: rustls::Error) -> TlsError {
        TlsError::Pair { certificate: self.certificate.clone(), key: self.key.clone(), cause }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let expected = "certificates in PEM";
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|cause| file(path, expected, &cause))?;
    if read.is_empty() { Err(file(path, expected, &"there are none")) } else { Ok(read) }
}

fn file(path: &Path, expected: &'static str, cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), expected, cause: cause.to_string() }
}
