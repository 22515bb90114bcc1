//! `khop serve`: run the HTTP service.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use khop::RootSource;
use khop_server::{IssuerOptions, Options, Server, TlsOptions};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::protection::ProtectionArgs;

/// Run the HTTP service.
///
/// Without options it serves a private store on this machine only. The first start makes the admin token, prints it
/// once and keeps only its hash. SIGTERM or Ctrl-C finishes the requests in flight and stops. The log goes to
/// standard error; RUST_LOG sets its level (default info). Every option but --new-token can be given in the environment,
/// where --listen is KHOP_LISTEN; what is typed counts before it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Directory of the store, made if it is not there [default: $XDG_DATA_HOME/khop or ~/.local/share/khop]
    #[arg(long, value_name = "DIR", env = "KHOP_DATA")]
    data: Option<PathBuf>,
    /// Where to listen: a loopback address unless there is a certificate; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "KHOP_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The service's certificate and those above it, PEM: speak TLS 1.3 and nothing else. Read again when it changes
    #[arg(long, value_name = "FILE", env = "KHOP_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", env = "KHOP_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Certificates of authorities, PEM: clients must show one of theirs, besides their key
    #[arg(long, value_name = "FILE", env = "KHOP_TLS_CLIENT_AUTHORITIES", requires = "tls_certificate")]
    tls_client_authorities: Option<PathBuf>,
    /// Believe the tokens (JWT) of an identity provider: what they say in `iss`
    #[arg(long, value_name = "URL", env = "KHOP_JWT_ISSUER", requires_all = ["jwt_audience", "jwt_keys"])]
    jwt_issuer: Option<String>,
    /// What they say in `aud`
    #[arg(long, value_name = "NAME", env = "KHOP_JWT_AUDIENCE", requires = "jwt_issuer")]
    jwt_audience: Option<String>,
    /// The identity provider's public keys (JWKS). Read again when the file changes; no address is asked for them
    #[arg(long, value_name = "FILE", env = "KHOP_JWT_KEYS", requires = "jwt_issuer")]
    jwt_keys: Option<PathBuf>,
    /// Threads that compare; 0 takes one for each core
    #[arg(long, value_name = "N", env = "KHOP_THREADS", default_value_t = 0)]
    threads: usize,
    /// Requests waiting or being worked on; one more is refused with 503
    #[arg(long, value_name = "N", env = "KHOP_QUEUE", default_value_t = 256)]
    queue: usize,
    /// Replace the admin token, for instance when it is lost; the old one is no longer accepted
    #[arg(long)]
    new_token: bool,
    /// Directory of backups: one is made at the start and every day (see khop restore)
    #[arg(long, value_name = "DIR", env = "KHOP_BACKUP_TO")]
    backup_to: Option<PathBuf>,
    /// Read everything that is kept once a day to see that it is still what was written, so many megabytes a second; 0 does not
    #[arg(long, value_name = "MB/S", env = "KHOP_SCRUB_RATE", default_value_t = 10)]
    scrub_rate: u64,
    /// An origin that answers to OSIA requests with a callback may be sent to; can be given several times. No other address
    /// that a client names is ever called
    #[arg(long = "callback", value_name = "ORIGIN", env = "KHOP_CALLBACKS", value_delimiter = ',')]
    callbacks: Vec<String>,
    #[command(flatten)]
    protection: ProtectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  khop serve
  khop serve --data /var/lib/khop --listen 127.0.0.1:9000 --threads 8
  khop serve --listen 0.0.0.0:8443 --tls-certificate server.pem --tls-key server.key
  curl http://127.0.0.1:8080/readyz
  curl http://127.0.0.1:8080/openapi.json";

pub fn run(args: ServeArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    let data = args.data.map_or_else(default_data_dir, Ok)?;
    let ServeArgs {
        listen,
        tls_certificate,
        tls_key,
        tls_client_authorities,
        jwt_issuer,
        jwt_audience,
        jwt_keys,
        threads,
        queue,
        new_token,
        backup_to,
        scrub_rate,
        callbacks,
        protection,
        ..
    } = args;
    let tls = tls_certificate.zip(tls_key).map(|(certificate, key)| TlsOptions {
        certificate,
        key,
        client_authorities: tls_client_authorities,
    });
    let issuer = jwt_issuer.zip(jwt_audience).zip(jwt_keys);
    let issuer = issuer.map(|((name, audience), keys)| IssuerOptions { name, audience, keys });
    let (root_key, encrypted_volume) = (protection.root(), protection.encrypted_volume());
    let data_dir = data.clone();
    let options = Options {
        data: data_dir,
        listen,
        tls,
        issuer,
        threads,
        queue,
        new_token,
        root_key,
        encrypted_volume,
        backup_to,
        scrub_rate: scrub_rate * 1_000_000,
        callbacks,
    };
    let server = Server::prepare(&options)?;
    println!("store    {}", data.display());
    match &options.root_key {
        RootSource::Beside => {
            println!("root key beside the data: whoever copies the store can read it (--root-key keeps it elsewhere)")
        }
        elsewhere => println!("root key from {elsewhere}"),
    }
    if encrypted_volume {
        println!("vectors  as they are in files, mapped: the volume is said to be encrypted");
    } else {
        println!("vectors  sealed in files, {} MB opened into memory", server.opened_bytes() / 1_000_000);
        if server.may_be_swapped() {
            println!("         which may be written to swap space: let the process lock it (ulimit -l, LimitMEMLOCK=)");
        }
    }
    println!("serving  {}://{}", if options.tls.is_some() { "https" } else { "http" }, server.address());
    match server.new_token() {
        Some(token) => println!(
            "token    {}\n\nThis is the admin token, shown only now: keep it. Requests carry it as\n  \
             Authorization: Bearer TOKEN\nIf it is lost, `khop serve --new-token` makes another.",
            token.reveal()
        ),
        None => println!("token    as printed at the first start (--new-token replaces it)"),
    }
    Ok(server.run()?)
}

/// Where data of a user's programs belongs (XDG base directories).
fn default_data_dir() -> Result<PathBuf, Failure> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    let base = base.ok_or_else(|| Failure::new("neither XDG_DATA_HOME nor HOME is set: say where with --data DIR"))?;
    Ok(base.join("khop"))
}
