//! The command line.

use std::{fmt, net::SocketAddr, str::FromStr, time::Duration};

use clap::Parser;
use noom_signal::{Limits, protocol::IceServer, turn::TurnSecret};

use crate::policy::Calls;

/// A video call in the browser.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Options {
    /// Where to listen. Other machines need HTTPS to use a camera; a phone does too.
    #[arg(long, env = "NOOM_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// A STUN server that browsers are told of, like stun:stun.example.com:3478. May be repeated.
    #[arg(long, env = "NOOM_ICE_SERVER", value_name = "URL", value_delimiter = ',')]
    ice_server: Vec<String>,

    /// A TURN server that shares --turn-secret, like turn:turn.example.com:3478. May be repeated.
    #[arg(
        long,
        env = "NOOM_TURN_URL",
        value_name = "URL",
        value_delimiter = ',',
        requires = "turn_secret"
    )]
    turn_url: Vec<String>,

    /// What the TURN servers and this one share (coturn's static-auth-secret). Other users of this
    /// machine can read a command line: prefer the environment.
    #[arg(
        long,
        env = "NOOM_TURN_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "turn_url"
    )]
    turn_secret: Option<Secret>,

    /// How long credentials for TURN hold, in milliseconds.
    #[arg(long, env = "NOOM_TURN_TTL_MS", default_value_t = millis(TurnSecret::DEFAULT_TTL), value_name = "MS", value_parser = clap::value_parser!(u64).range(1000..))]
    turn_ttl_ms: u64,

    /// How many people one room holds.
    #[arg(long, env = "NOOM_PEERS_PER_ROOM", default_value_t = 16, value_name = "N")]
    peers_per_room: usize,

    /// How many rooms one client may be in.
    #[arg(long, env = "NOOM_ROOMS_PER_PEER", default_value_t = defaults().rooms_per_peer, value_name = "N")]
    rooms_per_peer: usize,

    /// How many messages a second a client may send in the long run; 0 = any number.
    #[arg(long, env = "NOOM_MESSAGES_PER_SECOND", default_value_t = defaults().messages_per_second, value_name = "N")]
    messages_per_second: u32,

    /// How many messages a client may send at once.
    #[arg(long, env = "NOOM_BURST", default_value_t = defaults().burst, value_name = "N")]
    burst: u32,

    /// How many bytes a second a client may send in the long run; 0 = any number.
    #[arg(long, env = "NOOM_BYTES_PER_SECOND", default_value_t = defaults().bytes_per_second, value_name = "BYTES")]
    bytes_per_second: u32,

    /// How many bytes a client may send at once.
    #[arg(long, env = "NOOM_BYTE_BURST", default_value_t = defaults().byte_burst, value_name = "BYTES")]
    byte_burst: u32,

    /// How many connections there may be; 0 = any number.
    #[arg(long, env = "NOOM_MAX_CONNECTIONS", default_value_t = defaults().connections, value_name = "N")]
    max_connections: usize,

    /// How many connections one address may have; 0 = any number. Not behind a proxy, unless
    /// --proxies says how many there are.
    #[arg(long, env = "NOOM_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = defaults().connections_per_address, value_name = "N")]
    max_connections_per_address: usize,

    /// How many proxies stand before this server and add to X-Forwarded-For.
    #[arg(long, env = "NOOM_PROXIES", default_value_t = 0, value_name = "N")]
    pub(crate) proxies: usize,

    /// How many refused hellos of one address cost it nothing; later ones are delayed.
    #[arg(long, env = "NOOM_FAILED_HELLOS", default_value_t = defaults().failed_hellos, value_name = "N")]
    failed_hellos: u32,

    /// How many frames are kept for a client that lost its connection.
    #[arg(long, env = "NOOM_RESUME_FRAMES", default_value_t = defaults().resume_frames, value_name = "N")]
    resume_frames: usize,

    /// How many bytes are kept for a client that lost its connection.
    #[arg(long, env = "NOOM_RESUME_BYTES", default_value_t = defaults().resume_bytes, value_name = "BYTES")]
    resume_bytes: usize,

    /// How long a stop may take, in milliseconds: clients are sent away spread over this time.
    #[arg(long, env = "NOOM_DRAIN_MS", default_value_t = 2000, value_name = "MS")]
    drain_ms: u64,

    /// The longest message of a client, in bytes.
    #[arg(long, env = "NOOM_MESSAGE_BYTES", default_value_t = defaults().message_bytes, value_name = "BYTES")]
    message_bytes: usize,

    /// The longest description a client may give of itself, in bytes.
    #[arg(long, env = "NOOM_META_BYTES", default_value_t = defaults().meta_bytes, value_name = "BYTES")]
    meta_bytes: usize,

    /// How many bytes may wait for a client that reads slowly.
    #[arg(long, env = "NOOM_OUTBOUND_BYTES", default_value_t = defaults().outbound_bytes, value_name = "BYTES")]
    outbound_bytes: usize,

    /// How long a client may take to say hello, in milliseconds.
    #[arg(long, env = "NOOM_HANDSHAKE_MS", default_value_t = millis(defaults().handshake), value_name = "MS")]
    handshake_ms: u64,

    /// How often clients are pinged, in milliseconds; silence for twice that ends a connection.
    #[arg(long, env = "NOOM_HEARTBEAT_MS", default_value_t = millis(defaults().heartbeat), value_name = "MS")]
    heartbeat_ms: u64,

    /// How long a client that lost its connection keeps its place, in milliseconds; 0 = not at all.
    #[arg(long, env = "NOOM_RESUME_MS", default_value_t = millis(defaults().resume), value_name = "MS")]
    resume_ms: u64,
}

fn defaults() -> Limits {
    Limits::default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Options {
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.peers_per_room = self.peers_per_room;
        limits.rooms_per_peer = self.rooms_per_peer;
        limits.messages_per_second = self.messages_per_second;
        limits.burst = self.burst;
        limits.bytes_per_second = self.bytes_per_second;
        limits.byte_burst = self.byte_burst;
        limits.connections = self.max_connections;
        limits.connections_per_address = self.max_connections_per_address;
        limits.failed_hellos = self.failed_hellos;
        limits.resume_frames = self.resume_frames;
        limits.resume_bytes = self.resume_bytes;
        limits.message_bytes = self.message_bytes;
        limits.meta_bytes = self.meta_bytes;
        limits.outbound_bytes = self.outbound_bytes;
        limits.handshake = Duration::from_millis(self.handshake_ms);
        limits.heartbeat = Duration::from_millis(self.heartbeat_ms);
        limits.resume = Duration::from_millis(self.resume_ms);
        limits
    }

    pub(crate) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    pub(crate) fn policy(&self) -> Calls {
        let turn = self.turn_secret.as_ref().map(|Secret(secret)| {
            let ttl = Duration::from_millis(self.turn_ttl_ms);
            TurnSecret::new(secret, &self.turn_url).ttl(ttl)
        });
        Calls { stun: self.ice_server.iter().map(IceServer::stun).collect(), turn }
    }
}

/// Text that no log is to hold.
#[derive(Clone)]
struct Secret(String);

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An empty one is a variable that somebody forgot to set, and a relay for everybody.
        if text.is_empty() { Err("a secret must not be empty") } else { Ok(Self(text.into())) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_defaults_go_together() {
        let options = Options::parse_from(["zoom"]);
        assert_eq!(options.limits().check(), Ok(()));
    }

    #[test]
    fn turn_takes_a_secret_and_an_address() {
        let parse = |args: &[&str]| Options::try_parse_from([&["zoom"], args].concat());
        let secret = ["--turn-secret", "north"];
        let url = ["--turn-url", "turn:a,turns:b", "--turn-url", "turn:c"];
        let options =
            parse(&[&secret[..], &url[..], &["--turn-ttl-ms", "60000"]].concat()).unwrap();
        assert_eq!(options.turn_url, ["turn:a", "turns:b", "turn:c"]);
        assert!(!format!("{options:?} {:?}", options.policy()).contains("north"));
        for half in [&secret[..], &url[..], &["--turn-secret", "", "--turn-url", "turn:a"]] {
            assert!(parse(half).is_err(), "{half:?}");
        }
    }
}
