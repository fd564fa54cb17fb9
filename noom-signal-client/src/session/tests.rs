use noom_signal::protocol::{PeerId, RoomName};

use super::*;

fn hello(resumed: &str, more: &str) -> server::Hello {
    let text = format!(
        r#"{{"peer":"me","session":"secret","resumed":"{resumed}","iceServers":[],
        "heartbeatMs":25000,"resumeMs":30000,{more}
        "limits":{{"messageBytes":200,"frameBytes":1000,"metaBytes":100,"depth":32,"roomsPerPeer":8,
        "messagesPerSecond":100,"burst":400,"resumeFrames":8,"resumeBytes":1000,
        "outboundBytes":1000,"lobbyRooms":100}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn ask(session: &mut Session) -> Result<oneshot::Receiver<Answer>, RequestError> {
    let (room, to): (RoomName, PeerId) = ("r".parse().unwrap(), "p".parse().unwrap());
    session.request(Expected::Ack, |id| {
        client::Offer { room, to, sdp: "v=0".into(), id: Some(id) }.into()
    })
}

fn written(session: &mut Session, now: Instant) -> Vec<String> {
    let mut frames = Vec::new();
    while let Next::Frame(frame) = session.next(now) {
        frames.push(frame.as_str().to_owned());
    }
    frames
}

fn opened(limits: &ClientLimits, now: Instant) -> Session {
    let mut session = Session::new(limits, now);
    assert_eq!(session.resume(), None);
    assert_eq!(session.greeted(&hello("new", ""), now), Outcome::First);
    session
}

#[test]
fn frames_are_counted_as_the_protocol_says() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    for text in [
        r#"{"type":"bye","room":"r","version":1,"peer":"p","reason":"left"}"#,
        r#"{"type":"pong","received":0}"#,
        r#"{"type":"goaway","reason":"draining","reconnectMs":1}"#,
        r#"{"type":"lobby","rooms":[]}"#,
        r#"{"type":"unheard of"}"#,
        "not even JSON",
        r#"{"type":"hello"}"#,
    ] {
        session.take(text, now);
    }
    assert_eq!(session.resume().unwrap().received, 3);
}

#[test]
fn a_full_resume_sends_again_what_was_not_taken() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    let mut replies: Vec<_> = (0..4).map(|_| ask(&mut session).unwrap()).collect();
    let sent = written(&mut session, now);
    assert_eq!(sent.len(), 4);
    let outcome = session.greeted(&hello("full", r#""received":3,"#), now);
    assert_eq!(outcome, Outcome::Full);
    assert_eq!(written(&mut session, now), sent[3..]);
    assert!(replies.iter_mut().all(|reply| reply.try_recv().is_err()), "all are still open");
}

#[test]
fn a_partial_resume_fails_what_was_written() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    let mut lost = ask(&mut session).unwrap();
    assert_eq!(written(&mut session, now).len(), 1);
    session.take(r#"{"type":"missed","room":"r","peer":"p"}"#, now);
    let mut kept = ask(&mut session).unwrap();
    assert_eq!(session.greeted(&hello("partial", r#""rooms":[],"#), now), Outcome::Partial);
    assert_eq!(lost.try_recv().unwrap(), Err(RequestError::Lost));
    assert!(kept.try_recv().is_err());
    assert_eq!(written(&mut session, now).len(), 1);
    assert_eq!(session.resume().unwrap().received, 0);
    // The server counts from zero as well.
    assert_eq!(session.greeted(&hello("full", r#""received":1,"#), now), Outcome::Full);
    assert_eq!(written(&mut session, now).len(), 0);
}

#[test]
fn a_new_session_after_one_is_a_reset() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    assert_eq!(session.greeted(&hello("new", ""), now), Outcome::Reset);
}

#[test]
fn what_closed_the_connection_is_not_sent_again() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    let mut culprit = ask(&mut session).unwrap();
    let mut other = ask(&mut session).unwrap();
    let sent = written(&mut session, now);
    session.broke(Some(CloseCode::BAD_MESSAGES));
    session.greeted(&hello("full", r#""received":0,"#), now);
    assert_eq!(written(&mut session, now), sent[1..]);
    assert_eq!(culprit.try_recv().unwrap(), Err(RequestError::Blamed(CloseCode::BAD_MESSAGES)));
    assert!(other.try_recv().is_err());
}

#[test]
fn bounds_are_told() {
    let now = Instant::now();
    let limits = ClientLimits { requests: 2, ..ClientLimits::default() };
    let mut session = opened(&limits, now);
    let _replies = [ask(&mut session).unwrap(), ask(&mut session).unwrap()];
    assert_eq!(ask(&mut session).unwrap_err(), RequestError::Backlog);

    let limits = ClientLimits { outbound_frames: 1, ..ClientLimits::default() };
    let mut session = opened(&limits, now);
    let _reply = ask(&mut session).unwrap();
    assert_eq!(ask(&mut session).unwrap_err(), RequestError::Backlog);

    let mut session = opened(&ClientLimits::default(), now);
    let room: RoomName = "r".repeat(128).parse().unwrap();
    let long = session.request(Expected::Joined, |id| {
        let token = Some("x".repeat(100));
        client::Join { room, meta: None, token, id: Some(id) }.into()
    });
    assert!(matches!(long.unwrap_err(), RequestError::TooLarge { limit: 200, .. }));
}

#[test]
fn the_server_hears_early_what_was_taken() {
    let now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    for _ in 0..3 {
        session.take(r#"{"type":"missed","room":"r","peer":"p"}"#, now);
    }
    assert_eq!(written(&mut session, now), [r#"{"type":"ping","received":3}"#]);
    assert!(written(&mut session, now).is_empty());
}

#[test]
fn a_busy_sender_asks_what_the_server_has_taken() {
    let now = Instant::now();
    let limits = ClientLimits { outbound_frames: 8, ..ClientLimits::default() };
    let mut session = opened(&limits, now);
    let _replies: Vec<_> = (0..8).map(|_| ask(&mut session).unwrap()).collect();
    let sent = written(&mut session, now);
    assert_eq!(sent.iter().filter(|frame| frame.contains("ping")).count(), 1);
    assert_eq!(ask(&mut session).unwrap_err(), RequestError::Backlog);
    session.take(r#"{"type":"pong","received":8}"#, now);
    assert!(ask(&mut session).is_ok());
}

#[test]
fn a_backlog_is_spread() {
    let mut now = Instant::now();
    let mut session = opened(&ClientLimits::default(), now);
    let _replies: Vec<_> = (0..500).map(|_| ask(&mut session).unwrap()).collect();
    let mut sent = 0;
    let start = now;
    while sent < 500 {
        match session.next(now) {
            Next::Frame(frame) => sent += usize::from(!frame.as_str().contains("ping")),
            Next::Wait(wait) => {
                let allowed = 400.0 + 100.0 * (now - start).as_secs_f64();
                assert!(sent as f64 <= allowed, "{sent} frames, {allowed} allowed");
                now += wait;
            }
            Next::Nothing => panic!("{sent} frames, and no more"),
        }
    }
    assert!(now - start > Duration::from_secs(1));
}
