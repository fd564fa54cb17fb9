//! The command line.

use std::{fmt, io, net::SocketAddr, str::FromStr, time::Duration};

use clap::{Parser, error::ErrorKind};
use noom_signal::{Limits, protocol::IceServer, turn::TurnSecret};
use noom_signal_axum::Server;

use crate::{cluster::ClusterFlags, limits::LimitFlags, policy::Calls};

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

    /// How many proxies stand before this server and add to X-Forwarded-For.
    #[arg(long, env = "NOOM_PROXIES", default_value_t = 0, value_name = "N")]
    pub(crate) proxies: usize,

    /// How long a client may take over the head of an HTTP request, in milliseconds.
    #[arg(long, env = "NOOM_HEADER_MS", default_value_t = millis(Server::HEADER_TIMEOUT), value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    header_ms: u64,

    /// How many connections there may be that are no WebSocket yet, or never will be; 0 = any
    /// number. One more takes the place of the one that has been idle longest.
    #[arg(long, env = "NOOM_MAX_WAITING", default_value_t = Server::WAITING, value_name = "N")]
    max_waiting: usize,

    /// How long a stop may take, in milliseconds: clients are sent away spread over this time.
    #[arg(long, env = "NOOM_DRAIN_MS", default_value_t = 2000, value_name = "MS")]
    drain_ms: u64,

    #[command(flatten)]
    pub(crate) cluster: ClusterFlags,

    #[command(flatten)]
    limits: LimitFlags,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Options {
    /// The command line. Where it makes no sense, the process ends with the reason and code 2.
    pub(crate) fn from_command_line() -> Self {
        let options = Self::parse();
        if let Err(error) = options.check() {
            error.exit();
        }
        options
    }

    /// Whether the limits go together. The reason names flags, not fields.
    fn check(&self) -> Result<(), clap::Error> {
        self.limits().check().map_err(|error| {
            let why = error.to_string().replace('_', "-");
            clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n"))
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// Listens where it was asked to.
    pub(crate) fn bind(&self) -> io::Result<Server> {
        let header_timeout = Duration::from_millis(self.header_ms);
        Ok(Server::bind(self.listen)?.header_timeout(header_timeout).waiting(self.max_waiting))
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
pub(crate) struct Secret(pub(crate) String);

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An empty one is a variable that somebody forgot to set, and a relay for everybody.
        if text.is_empty() { Err("it must not be empty") } else { Ok(Self(text.into())) }
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
        assert!(Options::parse_from(["zoom"]).check().is_ok());
    }

    #[test]
    fn what_does_not_go_together_is_said_in_one_line() {
        for (args, why) in [
            (vec!["--heartbeat-ms", "0"], "error: heartbeat must not be 0\n"),
            (vec!["--burst", "0"], "error: burst must not be 0\n"),
            (
                vec!["--byte-burst", "1000"],
                "error: byte-burst of 1000 never lets a message of 65536 bytes through\n",
            ),
            (
                vec!["--frame-bytes", "65536"],
                "error: frame-bytes of 65536 cannot carry messages of 65536 bytes\n",
            ),
            (
                vec!["--meta-bytes", "60000", "--peers-per-room", "50"],
                "error: a room of 50 peers with meta of 60000 bytes needs frames of 3085824 bytes, \
                 but frame-bytes is 1048576\n",
            ),
        ] {
            let error = Options::parse_from([vec!["zoom"], args].concat()).check().unwrap_err();
            assert_eq!((error.to_string().as_str(), error.exit_code()), (why, 2));
        }
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
