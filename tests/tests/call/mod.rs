//! A call's set-up between two peers in a room of their own.

use futures_util::future::join;
use system_tests::{Client, Server, json};

/// How many candidates each side sends.
const CANDIDATES: usize = 10;

/// Two peers in a room.
pub(crate) struct Call {
    room: String,
    n: usize,
    caller: Client,
    callee: Client,
}

impl Call {
    /// Both join, by sockets or by pipes as the server has it.
    pub(crate) async fn begin(server: &Server, n: usize) -> Self {
        let room = format!("room {n} \u{2615} \"{n}\"");
        let (caller, callee) = server.pair(&room).await;
        Self { room, n, caller, callee }
    }

    /// An offer, an answer and ten candidates each way, both sides sending and receiving at once;
    /// each frame is compared as text.
    pub(crate) async fn exchange(self) -> Self {
        let Self { room, n, mut caller, mut callee } = self;
        let (a, b) = (caller.peer.clone(), callee.peer.clone());
        let sdp = |who: &str| format!("v=0\r\no=- {n} 2 IN IP4 127.0.0.1\r\ns={who} \u{e9}\r\n");
        let offer = [("offer", "sdp", format!("{:?}", sdp("offer")).replace("\\u{e9}", "\u{e9}"))];
        // Escapes and numbers that a reader could write otherwise stay as they are.
        let answer = [("answer", "sdp", format!(r#""v=0\r\n\u00e9 \/ {n}""#))];
        let candidate = |who: &str, i: usize| {
            let text = format!(
                r#"{{"candidate":"candidate:{who} {n} {i}","sdpMid": "0", "sdpMLineIndex":0,"x":1.50e0}}"#
            );
            ("ice", "candidate", text)
        };
        let last = ("ice", "candidate", "null".to_owned());
        let from_caller: Vec<_> = offer
            .into_iter()
            .chain((0..CANDIDATES).map(|i| candidate("caller", i)))
            .chain([last.clone()])
            .collect();
        let from_callee: Vec<_> = answer
            .into_iter()
            .chain((0..CANDIDATES).map(|i| candidate("callee", i)))
            .chain([last])
            .collect();
        let (sent, expected) = (&from_caller, &from_callee);
        join(
            speak(&mut caller, &room, &b, sent, expected),
            speak(&mut callee, &room, &a, expected, sent),
        )
        .await;
        caller.nothing_came().await;
        callee.nothing_came().await;
        Self { room, n, caller, callee }
    }

    /// Both go, each in one of the ways there are; how depends on the room and the round.
    pub(crate) async fn end(self, round: usize) {
        let Self { room, n, mut caller, mut callee } = self;
        if (n + round).is_multiple_of(2) {
            let peer = callee.peer.clone();
            callee.send(json!({"type": "leave", "room": room})).await;
            callee.expect_bye(&room, &peer, "left").await;
            caller.expect_bye(&room, &peer, "left").await;
            callee.close(Some(1000)).await;
        } else {
            callee.close(None).await;
            caller.expect_bye(&room, &callee.peer, "disconnected").await;
        }
        caller.close(Some(1001)).await;
    }
}

type Payload = (&'static str, &'static str, String);

/// Sends all that is `sent`, and gets exactly what is `expected`.
async fn speak(client: &mut Client, room: &str, to: &str, sent: &[Payload], expected: &[Payload]) {
    let name = json!(room).to_string();
    for (kind, member, payload) in sent {
        let text = format!(r#"{{"type":"{kind}","room":{name},"to":"{to}","{member}":{payload}}}"#);
        client.send_text(text).await;
    }
    for (kind, member, payload) in expected {
        let text =
            format!(r#"{{"type":"{kind}","room":{name},"from":"{to}","{member}":{payload}}}"#);
        assert_eq!(client.recv_text().await, text);
    }
}
