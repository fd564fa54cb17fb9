//! How a client comes to be.

use std::{fmt, future::Future, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    Client, ClientLimits, Closed, Events, InvalidAddress, State, address::Address, client::Handle,
    line::Line, link::Dial, shared::Shared, socket::Sockets, token::Token,
};

/// Builds a [`Client`].
///
/// ```no_run
/// use noom_signal_client::{Client, ClientLimits, HeaderValue, header};
///
/// # async fn fresh_token() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut limits = ClientLimits::default();
/// limits.first_attempts = Some(3);
/// let (client, events) = Client::builder("ws://127.0.0.1:3000/signal")?
///     .token_from(fresh_token)
///     .header(header::COOKIE, HeaderValue::from_static("session=…"))
///     .name("recorder/2.1")
///     .limits(limits)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Builder {
    address: Address,
    headers: HeaderMap,
    token: Token,
    name: String,
    limits: ClientLimits,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Result<Self, InvalidAddress> {
        Ok(Self {
            address: url.parse()?,
            headers: HeaderMap::new(),
            token: Token::None,
            name: concat!("noom-signal-client/", env!("CARGO_PKG_VERSION")).into(),
            limits: ClientLimits::default(),
        })
    }

    /// What the application's authenticator expects, the same for every connection.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Fixed(token.into());
        self
    }

    /// A token that is asked for anew before each connection. Where it cannot be had now, the
    /// attempt has failed, and the next one asks again. It is dropped unfinished where the attempt
    /// takes longer than [`ClientLimits::connect`].
    pub fn token_from<F, Fut, E>(mut self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.token = Token::provider(provider);
        self
    }

    /// A header for the HTTP request of each connection, beside those that WebSocket needs. Several
    /// of one name are all sent.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The client's name and version, for the server's log.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the client holds and waits for.
    pub fn limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Connects, and waits for the server's first `hello`. Must be called within a tokio runtime, on
    /// which the client's one task runs from then on.
    ///
    /// Attempts that fail on the way are made again, without end unless
    /// [`ClientLimits::first_attempts`] says otherwise. Cancel safe: dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`Closed`] where there can never be a `hello`: the token was refused, or the HTTP request was
    /// with a status that says that the next one would be too (400 to 499, but for 408, 425 and
    /// 429).
    pub async fn connect(self) -> Result<(Client, Events), Closed> {
        let Self { address, headers, token, name, limits } = self;
        let dial = Sockets::new(address, headers, limits.frame_bytes);
        let random = Box::new(|| match getrandom::u32() {
            Ok(bits) => f64::from(bits) / f64::from(u32::MAX),
            // The middle is as good as any: it only costs some spread.
            Err(_) => 0.5,
        });
        start(|shared| Line { dial, token, name, limits: limits.clone(), shared, random }, &limits)
            .await
    }
}

/// Starts a client's task, and waits for its first hello.
pub(crate) async fn start<D: Dial>(
    line: impl FnOnce(Arc<Shared>) -> Line<D>,
    limits: &ClientLimits,
) -> Result<(Client, Events), Closed> {
    let shared = Arc::new(Shared::new(limits));
    let handle = Arc::new(Handle(shared.clone()));
    let events = Events::new(shared.clone());
    let mut states = shared.states();
    tokio::spawn(line(shared.clone()).run());
    loop {
        if let Some(hello) = shared.hello() {
            return Ok((Client::new(handle, hello), events));
        }
        if let State::Closed(why) = &*states.borrow_and_update() {
            return Err(why.clone());
        }
        if states.changed().await.is_err() {
            return Err(Closed::Aborted);
        }
    }
}

impl fmt::Debug for Builder {
    /// Neither the token nor the headers, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("name", &self.name).finish_non_exhaustive()
    }
}
