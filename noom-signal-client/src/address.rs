//! Where a server is.

use std::str::FromStr;

use http::{
    Uri,
    uri::{PathAndQuery, Scheme},
};
use thiserror::Error;

/// Where a server's endpoint is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// With the scheme `ws` or `wss`.
    pub(crate) uri: Uri,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
}

/// The text is not the address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// Not an absolute address with a host.
    #[error("not an address: {0}")]
    Malformed(String),
    /// Neither `ws` nor `wss`, nor `http` or `https` in their place.
    #[error("the scheme {0:?} is not ws or wss")]
    Scheme(String),
    /// `wss` needs this crate's feature `tls`.
    #[error("wss needs the feature \"tls\" of noom-signal-client")]
    NoTls,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(url: &str) -> Result<Self, InvalidAddress> {
        let malformed = |why: &dyn ToString| InvalidAddress::Malformed(why.to_string());
        let mut parts = url.parse::<Uri>().map_err(|error| malformed(&error))?.into_parts();
        let secure = match parts.scheme.as_ref().map(Scheme::as_str) {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(other) => return Err(InvalidAddress::Scheme(other.to_owned())),
            None => return Err(malformed(&"it has no scheme")),
        };
        if secure && !cfg!(feature = "tls") {
            return Err(InvalidAddress::NoTls);
        }
        let scheme = if secure { "wss" } else { "ws" };
        parts.scheme = Some(scheme.parse().map_err(|error| malformed(&error))?);
        parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
        let uri = Uri::from_parts(parts).map_err(|error| malformed(&error))?;
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| malformed(&"it has no host"))?;
        // An IPv6 address stands in brackets, which a resolver does not take.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, secure, uri })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address: Address = "http://[::1]:4711/signal?x=1".parse().unwrap();
        assert_eq!(address.uri.to_string(), "ws://[::1]:4711/signal?x=1");
        assert_eq!((address.host.as_str(), address.port, address.secure), ("::1", 4711, false));
        let address: Address = "ws://example.org".parse().unwrap();
        assert_eq!((address.uri.path(), address.port), ("/", 80));
        let secure = "wss://example.org/signal".parse::<Address>();
        match cfg!(feature = "tls") {
            true => assert_eq!(secure.unwrap().port, 443),
            false => assert_eq!(secure.unwrap_err(), InvalidAddress::NoTls),
        }
    }

    #[test]
    fn what_is_none() {
        for bad in ["", "/signal", "example.org", "ws://", "ws:///signal", "not an address"] {
            let error = bad.parse::<Address>().unwrap_err();
            assert!(matches!(error, InvalidAddress::Malformed(_)), "{bad:?}: {error}");
        }
        let error = "ftp://example.org".parse::<Address>().unwrap_err();
        assert_eq!(error, InvalidAddress::Scheme("ftp".into()));
    }
}
