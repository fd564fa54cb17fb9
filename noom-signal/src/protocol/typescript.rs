//! TypeScript declarations of the wire types, made from the Rust ones.

use ts_rs::{Config, TS};

use super::{client, server, *};

const HEADER: &str = "\
// Made from the Rust types by `cargo xtask types`. Do not edit.

/** An `RTCIceCandidateInit`, passed on as it came. */
export type IceCandidate = {
    candidate?: string,
    sdpMid?: string | null,
    sdpMLineIndex?: number | null,
    usernameFragment?: string | null,
};
";

/// The declarations, as the text of one `.d.ts` file.
///
/// ```
/// let text = noom_signal::protocol::typescript::declarations();
/// assert!(text.contains("export type ServerMessage ="));
/// ```
pub fn declarations() -> String {
    let config = Config::default();
    let mut text = String::from(HEADER);
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(
                text.push('\n');
                if let Some(docs) = <$type>::docs() {
                    text.push_str(&docs);
                }
                text.push_str("export ");
                text.push_str(&<$type>::decl(&config));
                text.push('\n');
            )*
        };
    }
    declare!(
        PeerId,
        RoomName,
        UserId,
        SessionSecret,
        Json,
        Target,
        ErrorCode,
        ByeReason,
        Resumed,
        AnnouncedLimits,
        IceServer,
        PeerInfo,
        LobbyRoom,
        client::Resume,
        client::Hello,
        client::Join,
        client::Update,
        client::Leave,
        client::Offer,
        client::Answer,
        client::Ice,
        client::Message,
        client::Lobby,
        client::IceServers,
        client::Ping,
        ClientMessage,
        server::Hello,
        server::Joined,
        server::Welcome,
        server::Updated,
        server::Bye,
        server::Roster,
        server::Missed,
        server::Offer,
        server::Answer,
        server::Ice,
        server::Message,
        server::Lobby,
        server::IceServers,
        server::Ack,
        server::Pong,
        server::Goaway,
        server::Error,
        ServerMessage,
    );
    text
}
