//! Whose pages may connect.

use axum::http::{HeaderMap, Uri, header};
use noom_signal::policy::ConnectRequest;

/// Which web pages may open a connection.
///
/// A browser sends cookies with a WebSocket request to any host, whatever page asks for it, and
/// applies no same-origin policy: a server that trusts cookies must look at `Origin` itself (RFC
/// 6455 section 10.2). Programs other than browsers send no `Origin` and are always let in; they
/// could send any, so it would prove nothing.
///
/// The default is [`Origins::same`].
///
/// ```
/// use noom_signal_axum::Origins;
///
/// let origins = Origins::list(["https://app.example.com"])?;
/// # Ok::<_, noom_signal_axum::InvalidOrigin>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Allowed);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Same,
    List(Vec<String>),
    Any,
}

/// The text is not an origin: `scheme://host` or `scheme://host:port`, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOrigin(String);

impl std::fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is not an origin like https://app.example.com", self.0)
    }
}

impl std::error::Error for InvalidOrigin {}

impl Default for Origins {
    fn default() -> Self {
        Self::same()
    }
}

impl Origins {
    /// Pages of the same host and port as the endpoint, going by the request's `Host`. Behind a
    /// proxy that changes `Host`, use a [list](Origins::list).
    pub fn same() -> Self {
        Self(Allowed::Same)
    }

    /// Pages of these origins only, each `scheme://host` or `scheme://host:port`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] names the first that is none.
    pub fn list<O: Into<String>>(
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Self, InvalidOrigin> {
        let checked = origins.into_iter().map(|origin| {
            let origin = origin.into().to_ascii_lowercase();
            let uri = origin.parse::<Uri>().ok();
            let plain = |uri: &Uri| match (uri.scheme_str(), uri.authority()) {
                (Some(scheme), Some(authority)) => format!("{scheme}://{authority}") == origin,
                _ => false,
            };
            if uri.as_ref().is_some_and(plain) { Ok(origin) } else { Err(InvalidOrigin(origin)) }
        });
        Ok(Self(Allowed::List(checked.collect::<Result<_, _>>()?)))
    }

    /// Any page at all. Right where no cookie or other ambient authority matters: peers that prove
    /// themselves by a token in their `hello`, or a public service.
    pub fn any() -> Self {
        Self(Allowed::Any)
    }

    pub(crate) fn allow(&self, request: &ConnectRequest) -> bool {
        let mut origins = request.headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        if self.0 == Allowed::Any {
            return true;
        }
        let Ok(origin) = origin.to_str() else { return false };
        if origins.next().is_some() {
            return false;
        }
        match &self.0 {
            Allowed::Same => host(&request.headers, &request.uri).is_some_and(|host| {
                let page = origin.split_once("://").map(|(_, authority)| authority);
                page.is_some_and(|page| page.eq_ignore_ascii_case(host))
            }),
            Allowed::List(list) => list.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
            Allowed::Any => true,
        }
    }
}

/// What the client calls this server: `Host`, or HTTP/2's authority.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| uri.authority().map(|authority| authority.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: Option<&str>) -> ConnectRequest {
        let mut request = ConnectRequest::default();
        request.headers.insert(header::HOST, "call.example.com:3000".parse().unwrap());
        if let Some(origin) = origin {
            request.headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        request
    }

    #[test]
    fn the_same_host_and_port() {
        let same = Origins::same();
        assert!(same.allow(&from(None)));
        assert!(same.allow(&from(Some("https://call.example.com:3000"))));
        assert!(same.allow(&from(Some("http://CALL.example.com:3000"))));
        for foreign in [
            "https://evil.example",
            "null",
            "",
            "https://call.example.com",
            "https://call.example.com:3000.evil.example",
        ] {
            assert!(!same.allow(&from(Some(foreign))), "{foreign}");
        }
        let mut two = from(Some("https://call.example.com:3000"));
        two.headers.append(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert!(!same.allow(&two));
    }

    #[test]
    fn a_list() {
        let list = Origins::list(["https://App.example.com", "http://localhost:8080"]).unwrap();
        assert!(list.allow(&from(Some("https://app.example.com"))));
        assert!(list.allow(&from(Some("http://localhost:8080"))));
        assert!(!list.allow(&from(Some("http://app.example.com"))));
        assert!(!list.allow(&from(Some("https://call.example.com:3000"))));
        for bad in ["app.example.com", "https://app.example.com/", "*", ""] {
            assert!(Origins::list([bad]).is_err(), "{bad}");
        }
        assert!(Origins::any().allow(&from(Some("https://evil.example"))));
    }
}
