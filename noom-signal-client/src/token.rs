//! Where the token of a hello comes from.

use std::{fmt, future::Future};

use futures_util::future::BoxFuture;

/// Where the token of a hello comes from.
pub(crate) enum Token {
    None,
    Fixed(String),
    Provider(Provider),
}

type Provider = Box<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

impl Token {
    pub(crate) fn provider<F, Fut, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: fmt::Display,
    {
        Self::Provider(Box::new(move || {
            let token = provider();
            Box::pin(async move { token.await.map_err(|error| error.to_string()) })
        }))
    }

    /// The token for the next hello, or why there is none now.
    pub(crate) async fn get(&self) -> Result<Option<String>, String> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(token) => Ok(Some(token.clone())),
            Self::Provider(provider) => provider().await.map(Some),
        }
    }
}

impl fmt::Debug for Token {
    /// Never the token itself: a log is no place for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed(_) => "Fixed(…)",
            Self::Provider(_) => "Provider(…)",
        })
    }
}
