//! TypeScript declarations of the wire types, made from the Rust ones.

use ts_rs::{Config, TS};

use super::{client, server, *};

/// The types that are opaque JSON in Rust.
const HEADER: &str = r#"// Made from the Rust types by `cargo xtask types`. Do not edit.

/** Any JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | Array<JsonValue>
  | { [key in string]?: JsonValue };

/** What a peer says about itself: a JSON object, not verified by the server. */
export type Meta = { [key in string]?: JsonValue };

/** An `RTCIceCandidateInit`, passed on as it came. */
export type IceCandidate = {
  candidate?: string,
  sdpMid?: string | null,
  sdpMLineIndex?: number | null,
  usernameFragment?: string | null,
};
"#;

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
                push_docs(&mut text, <$type>::docs().as_deref().unwrap_or_default());
                push_declaration(&mut text, &<$type>::decl(&config));
            )*
        };
    }
    declare!(
        PeerId,
        RoomName,
        UserId,
        SessionSecret,
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

/// Appends the first paragraph of a type's documentation. What follows is for readers of Rust.
fn push_docs(out: &mut String, docs: &str) {
    let lines = docs.lines().map(|line| line.trim_start_matches(['/', '*', ' ']).trim_end());
    let lines: Vec<_> = lines.skip_while(|l| l.is_empty()).take_while(|l| !l.is_empty()).collect();
    match lines[..] {
        [] => {}
        [line] => out.push_str(&format!("/** {line} */\n")),
        _ => out.push_str(&format!("/**\n * {}\n */\n", lines.join("\n * "))),
    }
}

/// Appends a declaration with its members, or the alternatives of a long union, on lines of their
/// own.
fn push_declaration(out: &mut String, declaration: &str) {
    out.push_str("export ");
    if !declaration.contains("/**") {
        let is_long = declaration.len() > 90 && declaration.contains(" | ");
        let union = declaration.replace(" | ", "\n  | ").replacen(" = ", " =\n  | ", 1);
        out.push_str(if is_long { &union } else { declaration });
        out.push('\n');
        return;
    }
    // `decl` gives each member's documentation in lines of its own, and the member after it.
    let mut docs = String::new();
    for line in declaration.lines() {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix('*').filter(|doc| *doc != "/") {
            docs.push_str(if docs.is_empty() { "" } else { "\n   *" });
            docs.push_str(doc);
        } else if line == "*/" {
            match docs.contains('\n') {
                true => out.push_str(&format!("  /**\n   *{docs}\n   */\n")),
                false => out.push_str(&format!("  /**{docs} */\n")),
            }
            docs.clear();
        } else if let Some(member) = line.strip_suffix("};") {
            out.push_str(&format!("  {}\n}};\n", member.trim_end()));
        } else if line != "/**" {
            out.push_str(if line.ends_with('{') { "" } else { "  " });
            out.push_str(line);
            out.push('\n');
        }
    }
}
