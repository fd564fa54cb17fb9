//! A WebSocket as a link.

use std::time::Duration;

use futures_util::{
    SinkExt, StreamExt,
    future::poll_fn,
    stream::{SplitSink, SplitStream},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use noom_signal::protocol::{CloseCode, Frame, SUBPROTOCOL};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message, Utf8Bytes,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use crate::{
    Ending,
    address::Address,
    link::{Dial, DialError, Incoming, Reader, Writer},
};

/// Makes WebSockets to one address.
pub(crate) struct Sockets {
    address: Address,
    headers: HeaderMap,
    config: WebSocketConfig,
    #[cfg(feature = "tls")]
    tls: crate::tls::Tls,
}

/// The read buffer of a connection, kept for its whole life.
const READ_BUFFER: usize = 8 * 1024;

/// How much of a refusal's body is told.
const EXCERPT: usize = 200;

/// What a WebSocket runs over: TCP, or TLS over it.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Socket = WebSocketStream<Box<dyn Io>>;

impl Sockets {
    pub(crate) fn new(address: Address, headers: HeaderMap, frame_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes));
        Self {
            address,
            headers,
            config,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::new(),
        }
    }

    /// The same, with a trust of the test's own.
    #[cfg(all(test, feature = "tls"))]
    pub(crate) fn over(
        tls: crate::tls::Tls,
        address: Address,
        headers: HeaderMap,
        frame_bytes: usize,
    ) -> Self {
        Self { tls, ..Self::new(address, headers, frame_bytes) }
    }

    async fn io(&self) -> Result<Box<dyn Io>, DialError> {
        let Address { host, port, secure, .. } = &self.address;
        let tcp = TcpStream::connect((host.as_str(), *port)).await;
        let tcp = tcp.map_err(|error| DialError::broken(error.to_string()))?;
        // A frame is to leave when it is written. Where that cannot be had, it leaves later.
        let _ = tcp.set_nodelay(true);
        match secure {
            false => Ok(Box::new(tcp)),
            #[cfg(feature = "tls")]
            true => self.tls.secure(host, tcp).await,
            #[cfg(not(feature = "tls"))]
            true => Err(DialError::broken("there is no TLS in this build")),
        }
    }
}

impl Dial for Sockets {
    type Reader = SocketReader;
    type Writer = SocketWriter;

    async fn dial(&self) -> Result<(SocketReader, SocketWriter), DialError> {
        let mut request = self.address.uri.clone().into_client_request().map_err(undialled)?;
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            // What WebSocket itself needs is not the application's to say.
            if !is_reserved(name) {
                headers.append(name, value.clone());
            }
        }
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        let io = self.io().await?;
        let opened = client_async_with_config(request, io, Some(self.config)).await;
        let (writer, reader) = opened.map_err(undialled)?.0.split();
        Ok((SocketReader(reader), SocketWriter(writer)))
    }
}

fn is_reserved(name: &header::HeaderName) -> bool {
    let reserved = [header::HOST, header::CONNECTION, header::UPGRADE];
    reserved.contains(name) || name.as_str().starts_with("sec-websocket-")
}

fn undialled(error: Error) -> DialError {
    let Error::Http(response) = error else { return DialError::broken(error.to_string()) };
    let status = response.status();
    let passing =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    DialError {
        hopeless: status.is_client_error() && !passing.contains(&status),
        retry_after: retry_after(&response),
        ending: Ending::broken(describe(&response)),
    }
}

fn describe(response: &Response<Option<Vec<u8>>>) -> String {
    let body = response.body().as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]);
    format!("HTTP {}: {}", response.status(), body.trim())
}

fn retry_after(response: &Response<Option<Vec<u8>>>) -> Option<Duration> {
    let seconds =
        response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

pub(crate) struct SocketReader(SplitStream<Socket>);

impl Reader for SocketReader {
    type Text = Utf8Bytes;

    async fn recv(&mut self) -> Incoming<Utf8Bytes> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            // Binary is not part of the protocol: the server neither sends nor counts it.
            Some(Ok(Message::Close(frame))) => Incoming::Ended(match frame {
                Some(CloseFrame { code, reason }) => {
                    Ending::closed(Some(CloseCode::from_u16(code.into())), reason.as_str())
                }
                None => Ending::broken("closed without a code"),
            }),
            Some(Ok(_)) => Incoming::Alive,
            Some(Err(error)) => Incoming::Ended(broken(error)),
            None => Incoming::Ended(Ending::broken("the connection is closed")),
        }
    }
}

pub(crate) struct SocketWriter(SplitSink<Socket, Message>);

impl Writer for SocketWriter {
    async fn ready(&mut self) -> Result<(), Ending> {
        poll_fn(|cx| self.0.poll_ready_unpin(cx)).await.map_err(broken)
    }

    fn write(&mut self, frame: Frame) -> Result<(), Ending> {
        let text = Utf8Bytes::try_from(frame.into_bytes());
        let text = text.map_err(|error| Ending::broken(error.to_string()))?;
        self.0.start_send_unpin(Message::Text(text)).map_err(broken)
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        poll_fn(|cx| self.0.poll_flush_unpin(cx)).await.map_err(broken)
    }

    async fn close(&mut self, code: CloseCode) -> Result<(), Ending> {
        let frame = CloseFrame { code: code.as_u16().into(), reason: code.reason().into() };
        self.0.send(Message::Close(Some(frame))).await.map_err(broken)
    }
}

fn broken(error: Error) -> Ending {
    Ending::broken(error.to_string())
}
