//! The HTTP service of Khop: routes, wire types, the admin token, admission, metrics and the OpenAPI document.
//!
//! [`Server::prepare`] claims the address, opens the engine and makes or reads the token; [`Server::run`] answers
//! requests until the process is told to stop. Everything that compares or touches the store runs on blocking
//! threads behind a bounded queue, and compares on the engine's own pool, never on the threads that serve sockets.
#![forbid(unsafe_code)]

mod access;
mod admission;
pub mod api_keys;
mod body;
mod connections;
mod handle;
mod issuer;
mod metrics;
mod observe;
mod once;
mod openapi;
mod osia;
mod policy;
mod principal;
mod problem;
mod routes;
mod server;
mod service;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod watched;
mod wire;

pub use issuer::{IssuerError, IssuerOptions};
pub use policy::Role;
pub use server::{Options, ServeError, Server};
pub use tls::{TlsError, TlsOptions};
pub use token::{AdminToken, TokenError};
