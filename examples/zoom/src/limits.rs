//! The limits, as flags.

use std::time::Duration;

use clap::Args;
use noom_signal::Limits;

/// One flag for each field of [`Limits`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// How many people one room holds.
    #[arg(long, env = "NOOM_PEERS_PER_ROOM", default_value_t = 16, value_name = "N")]
    peers_per_room: usize,

    /// How many rooms one client may be in.
    #[arg(long, env = "NOOM_ROOMS_PER_PEER", default_value_t = defaults().rooms_per_peer, value_name = "N")]
    rooms_per_peer: usize,

    /// How many connections there may be; 0 = any number.
    #[arg(long, env = "NOOM_MAX_CONNECTIONS", default_value_t = defaults().connections, value_name = "N")]
    max_connections: usize,

    /// How many connections one address may have; 0 = any number. Not behind a proxy, unless
    /// --proxies says how many there are.
    #[arg(long, env = "NOOM_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = defaults().connections_per_address, value_name = "N")]
    max_connections_per_address: usize,

    /// How many refused hellos of one address cost it nothing; later ones are delayed.
    #[arg(long, env = "NOOM_FAILED_HELLOS", default_value_t = defaults().failed_hellos, value_name = "N")]
    failed_hellos: u32,

    /// How many rooms a lobby lists; 0 = none.
    #[arg(long, env = "NOOM_LOBBY_ROOMS", default_value_t = defaults().lobby_rooms, value_name = "N")]
    lobby_rooms: usize,

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

    /// How many unreadable messages of a client in a minute are forgiven.
    #[arg(long, env = "NOOM_BAD_MESSAGES", default_value_t = defaults().bad_messages, value_name = "N")]
    bad_messages: usize,

    /// The longest message of a client, in bytes.
    #[arg(long, env = "NOOM_MESSAGE_BYTES", default_value_t = defaults().message_bytes, value_name = "BYTES")]
    message_bytes: usize,

    /// The longest frame of the server, in bytes. The list of a full room must fit.
    #[arg(long, env = "NOOM_FRAME_BYTES", default_value_t = defaults().frame_bytes, value_name = "BYTES")]
    frame_bytes: usize,

    /// The longest description a client may give of itself, in bytes.
    #[arg(long, env = "NOOM_META_BYTES", default_value_t = defaults().meta_bytes, value_name = "BYTES")]
    meta_bytes: usize,

    /// How deep a message may be nested.
    #[arg(long, env = "NOOM_DEPTH", default_value_t = defaults().depth, value_name = "N")]
    depth: usize,

    /// How many frames are kept for a client that lost its connection.
    #[arg(long, env = "NOOM_RESUME_FRAMES", default_value_t = defaults().resume_frames, value_name = "N")]
    resume_frames: usize,

    /// How many bytes are kept for a client that lost its connection.
    #[arg(long, env = "NOOM_RESUME_BYTES", default_value_t = defaults().resume_bytes, value_name = "BYTES")]
    resume_bytes: usize,

    /// How many bytes may wait for a client that reads slowly.
    #[arg(long, env = "NOOM_OUTBOUND_BYTES", default_value_t = defaults().outbound_bytes, value_name = "BYTES")]
    outbound_bytes: usize,

    /// How many events of a room wait for an earlier one that is on its way between servers.
    #[arg(long, env = "NOOM_HELD_EVENTS", default_value_t = defaults().held_events, value_name = "N")]
    held_events: usize,

    /// How long a client may take to say hello, in milliseconds.
    #[arg(long, env = "NOOM_HANDSHAKE_MS", default_value_t = millis(defaults().handshake), value_name = "MS")]
    handshake_ms: u64,

    /// How long this app may take to decide about a request, in milliseconds.
    #[arg(long, env = "NOOM_POLICY_MS", default_value_t = millis(defaults().policy), value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    policy_ms: u64,

    /// How often clients are pinged, in milliseconds; silence for twice that ends a connection.
    #[arg(long, env = "NOOM_HEARTBEAT_MS", default_value_t = millis(defaults().heartbeat), value_name = "MS")]
    heartbeat_ms: u64,

    /// How long one write to a client may stall, in milliseconds.
    #[arg(long, env = "NOOM_WRITE_MS", default_value_t = millis(defaults().write), value_name = "MS")]
    write_ms: u64,

    /// How long a close waits for the client's answer, in milliseconds; 0 = not at all.
    #[arg(long, env = "NOOM_CLOSE_MS", default_value_t = millis(defaults().close), value_name = "MS")]
    close_ms: u64,

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

impl LimitFlags {
    /// The limits as asked for, whether or not they go together.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.peers_per_room = self.peers_per_room;
        limits.rooms_per_peer = self.rooms_per_peer;
        limits.connections = self.max_connections;
        limits.connections_per_address = self.max_connections_per_address;
        limits.failed_hellos = self.failed_hellos;
        limits.lobby_rooms = self.lobby_rooms;
        limits.messages_per_second = self.messages_per_second;
        limits.burst = self.burst;
        limits.bytes_per_second = self.bytes_per_second;
        limits.byte_burst = self.byte_burst;
        limits.bad_messages = self.bad_messages;
        limits.message_bytes = self.message_bytes;
        limits.frame_bytes = self.frame_bytes;
        limits.meta_bytes = self.meta_bytes;
        limits.depth = self.depth;
        limits.resume_frames = self.resume_frames;
        limits.resume_bytes = self.resume_bytes;
        limits.outbound_bytes = self.outbound_bytes;
        limits.held_events = self.held_events;
        limits.handshake = Duration::from_millis(self.handshake_ms);
        limits.policy = Duration::from_millis(self.policy_ms);
        limits.heartbeat = Duration::from_millis(self.heartbeat_ms);
        limits.write = Duration::from_millis(self.write_ms);
        limits.close = Duration::from_millis(self.close_ms);
        limits.resume = Duration::from_millis(self.resume_ms);
        limits
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, Parser};

    use super::*;

    const PAGE: &str = include_str!("../../../docs/embedding.md");

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: LimitFlags,
    }

    /// The names in the table of limits, which is tested to hold each field.
    fn fields() -> impl Iterator<Item = &'static str> {
        let (_, section) = PAGE.split_once("\n## Limits\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
    }

    /// The flag of a field, and its environment variable.
    fn flag(command: &Command, field: &str) -> (String, String) {
        let kebab = field.replace('_', "-");
        let names = [kebab.clone(), format!("max-{kebab}"), format!("{kebab}-ms")];
        let argument = command
            .get_arguments()
            .find(|a| a.get_long().is_some_and(|long| names.iter().any(|name| name == long)))
            .unwrap_or_else(|| panic!("no flag for Limits::{field}: one of {names:?}"));
        let variable = argument.get_env().expect("a variable").to_str().unwrap();
        (argument.get_long().unwrap().into(), variable.into())
    }

    fn shown(args: &[&str]) -> Vec<String> {
        let line = Line::try_parse_from([&["zoom"], args].concat()).unwrap();
        format!("{:#?}", line.flags.limits()).lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_limit_has_a_flag_which_sets_it_and_nothing_else() {
        let command = <Line as clap::CommandFactory>::command();
        let before = shown(&[]);
        let mut seen = 0;
        for field in fields() {
            let (flag, variable) = flag(&command, field);
            assert_eq!(variable, format!("NOOM_{}", flag.replace('-', "_").to_uppercase()));
            let after = shown(&[&format!("--{flag}"), "7654321"]);
            let changed: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).collect();
            let [(_, line)] = changed[..] else { panic!("--{flag} changes {changed:?}") };
            let value = if flag.ends_with("-ms") { "7654.321s" } else { "7654321" };
            assert_eq!(line.trim(), format!("{field}: {value},"), "--{flag}");
            seen += 1;
        }
        // The first line and the last are the name and the brace.
        assert_eq!(seen, before.len() - 2);
        assert_eq!(seen, command.get_arguments().count());
    }

    #[test]
    fn all_but_one_are_the_librarys_defaults() {
        let line = Line::parse_from(["zoom"]);
        let mut limits = line.flags.limits();
        assert_eq!(limits.check(), Ok(()));
        limits.peers_per_room = Limits::default().peers_per_room;
        assert_eq!(limits, Limits::default());
    }
}
