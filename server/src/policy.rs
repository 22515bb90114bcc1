//! Who may use a route? Everything needs the admin token, but the few open routes listed here.

use axum::http::Method;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody; the answer holds no data.
    Open,
    /// Whoever holds the admin token.
    Admin,
}

/// Read by anybody: they say nothing about anybody.
const OPEN: [&str; 3] = ["/livez", "/readyz", "/openapi.json"];

/// What a route asks for. A path that is not listed needs the token, and so does every way of writing.
pub(crate) fn access(method: &Method, path: &str) -> Access {
    let reads = method == Method::GET || method == Method::HEAD;
    if reads && OPEN.contains(&path) { Access::Open } else { Access::Admin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_needs_the_token() {
        assert_eq!(access(&Method::GET, "/livez"), Access::Open);
        assert_eq!(access(&Method::HEAD, "/readyz"), Access::Open);
        for (method, path) in [(Method::POST, "/livez"), (Method::GET, "/metrics"), (Method::GET, "/nowhere")] {
            assert_eq!(access(&method, path), Access::Admin, "{method} {path}");
        }
    }
}
