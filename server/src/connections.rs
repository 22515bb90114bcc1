//! Who is spoken to, and for how long? Connections are taken up to a number; one that says nothing in time is closed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::tls::{HTTP_2, Tls};

/// Open at once; more wait in the system's queue.
const CONNECTIONS: usize = 10_000;
/// A TLS connection must stand within this time.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// The head of the next request must be there within this time; so long may a connection say nothing. An HTTP/2 connection on
/// which something was asked is asked for a sign of life instead.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The sign of life must come within this time.
const SIGN_WITHIN: Duration = Duration::from_secs(5);
/// A request's line and headers together.
const HEAD_BYTES: usize = 16 << 10;
/// Requests of one HTTP/2 connection in flight.
const STREAMS: u32 = 64;
/// After the system could not give a connection, such as for want of descriptors.
const BREATHE: Duration = Duration::from_millis(100);

/// Answers what comes in until told to stop; then closes what is idle and waits for what is in flight.
pub(crate) async fn serve(listener: TcpListener, tls: Option<Tls>, app: Router, stop: impl Future<Output = ()>) {
    let (places, tls) = (Arc::new(Semaphore::new(CONNECTIONS)), tls.map(Arc::new));
    let open = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! { next = next => next, () = &mut stop => break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                sleep(BREATHE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true); // an answer that waits for its own tail is only slower
        let (app, watcher, tls) = (app.clone(), open.watcher(), tls.clone());
        tokio::spawn(async move {
            let _held_until_closed = place;
            match tls {
                None => speak_http_1(stream, app, watcher).await,
                Some(tls) => speak_tls(stream, &tls, app, watcher).await,
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

async fn speak_tls(stream: TcpStream, tls: &Tls, app: Router, watcher: Watcher) {
    let acceptor = TlsAcceptor::from(tls.config());
    match timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) => {
            speak_http_2(stream, app, watcher).await;
        }
        Ok(Ok(stream)) => speak_http_1(stream, app, watcher).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came to stand"),
        Err(_) => tracing::debug!("no TLS connection came to stand in time"),
    }
}

async fn speak_http_1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, app: Router, watcher: Watcher) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    ended(watcher.watch(connection).await);
}

async fn speak_http_2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, app: Router, watcher: Watcher) {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).keep_alive_interval(HEAD_WITHIN).keep_alive_timeout(SIGN_WITHIN);
    http.max_concurrent_streams(STREAMS).max_header_list_size(HEAD_BYTES as u32);
    let asked = Arc::new(Notify::new());
    let app = TowerToHyperService::new(app);
    let noticed = service_fn(|request| {
        asked.notify_one();
        app.call(request)
    });
    let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), noticed));
    // Signs of life are asked for once HTTP/2 stands, which takes the client's first bytes.
    tokio::select! {
        end = connection => ended(end),
        () = nothing_came_of(&asked) => tracing::debug!("nothing was asked on a connection"),
    }
}

/// Ends when nothing was asked in time, otherwise never.
async fn nothing_came_of(asked: &Notify) {
    if timeout(HEAD_WITHIN, asked.notified()).await.is_ok() {
        std::future::pending().await
    }
}

/// A client that leaves in the middle of something is none of the service's failures.
fn ended(end: Result<(), hyper::Error>) {
    if let Err(error) = end {
        tracing::debug!(%error, "a connection ended");
    }
}
