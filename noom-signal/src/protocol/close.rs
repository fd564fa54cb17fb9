//! Why a connection ends.

use std::fmt;

/// A WebSocket close code (RFC 6455 section 7.4) with the meaning this protocol gives it.
///
/// All but [`CloseCode::UNAUTHORIZED`] and [`CloseCode::REPLACED`] leave an opened session to be
/// resumed, where the server closed; a client ends its session by closing with
/// [`CloseCode::NORMAL`], [`CloseCode::GOING_AWAY`] or without a code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        impl CloseCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// A few words for the close frame's reason, empty for codes that are not listed here.
            pub fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }
    };
}

codes! {
    /// 1000: done.
    NORMAL = 1000, "done";
    /// 1001: the server is going down, or the page is left.
    GOING_AWAY = 1001, "going away";
    /// 1002: a violation of the WebSocket protocol.
    PROTOCOL_ERROR = 1002, "websocket protocol error";
    /// 1003: a binary message; every message is text.
    UNSUPPORTED = 1003, "text messages only";
    /// 1007: a text message that is not UTF-8.
    INVALID_TEXT = 1007, "not UTF-8";
    /// 1009: a message over `limits.messageBytes`.
    TOO_BIG = 1009, "message too big";
    /// 1011: a fault in the server kept it from opening a session (RFC 6455 section 7.4.1).
    INTERNAL = 1011, "internal error";
    /// 4400: no readable `hello` first, or too many bad messages.
    BAD_MESSAGES = 4400, "bad messages";
    /// 4401: the authenticator refused the `hello`.
    UNAUTHORIZED = 4401, "unauthorized";
    /// 4408: no `hello` in time, or silence for two heartbeats.
    TIMEOUT = 4408, "timeout";
    /// 4409: a newer connection holds the session.
    REPLACED = 4409, "session resumed elsewhere";
    /// 4410: the client reads too slowly; what waited for it is over `limits.outboundBytes`.
    TOO_SLOW = 4410, "too slow";
    /// 4429: over the rate for too long.
    RATE = 4429, "rate limit";
}

impl CloseCode {
    /// The code a peer sent.
    pub fn from_u16(code: u16) -> Self {
        Self(code)
    }

    /// The number on the wire.
    pub fn as_u16(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}
