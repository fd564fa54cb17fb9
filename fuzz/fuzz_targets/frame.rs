//! Any text as a client's frame: reading it never panics, and agrees with a reading that is slow
//! and simple.

#![no_main]

mod reference;

use libfuzzer_sys::fuzz_target;
use noom_signal::protocol::{Refusal, Request, RequestFrame};
use reference::{Reading, Reference};
use serde_json::{Value, value::RawValue};

fuzz_target!(|data: &[u8]| {
    // The first byte is the limit of depth, which small texts should reach.
    let Some((&limit, text)) = data.split_first() else { return };
    let (limit, text) = (usize::from(limit % 40) + 1, String::from_utf8_lossy(text));
    let frame = RequestFrame::parse(&text, limit);
    if let Some(payload) = payloads(&frame) {
        assert!(text.contains(payload.get()), "a payload is not verbatim: {payload}");
    }
    match reference::read(&text, limit) {
        Reading::NotJson => {
            assert!(matches!(frame.request, Err(Refusal::BadMessage(_))), "{frame:?}");
            assert!(frame.counted && frame.id.is_none(), "{frame:?}");
        }
        Reading::Refused => {
            assert!(matches!(frame.request, Err(Refusal::BadMessage(_))), "{frame:?}");
            assert!(frame.counted, "{frame:?}");
        }
        Reading::Message(reference) => agree(&frame, &reference),
        // What the reference cannot represent, such as `1e999`, is not for it to judge.
        Reading::Beyond => {}
    }
});

fn agree(frame: &RequestFrame<'_>, reference: &Reference) {
    let verdict = match &frame.request {
        Ok(_) => "",
        Err(Refusal::BadMessage(_)) => "bad_message",
        Err(_) => "unknown_type",
    };
    assert_eq!(verdict, reference.verdict(), "{frame:?}\n{reference:?}");
    assert_eq!(frame.id, reference.id(), "{frame:?}");
    assert_eq!(frame.counted, reference.counted(), "{frame:?}");
    assert_eq!(frame.room.as_deref(), reference.text("room"), "{frame:?}");
    assert_eq!(frame.to.as_deref(), reference.text("to"), "{frame:?}");
    let (name, payload) = match &frame.request {
        Ok(Request::Hello { token, resume, client }) => {
            assert_eq!(token.as_deref(), reference.text("token"));
            assert_eq!(client.as_deref(), reference.text("client"));
            let resume = resume.as_ref().map(|r| (&*r.session, r.received, r.attempt));
            return assert_eq!(resume, reference.resume());
        }
        Ok(Request::Ping { received }) => {
            return assert_eq!(*received, reference.integer("received"));
        }
        Ok(Request::Join { meta, token }) => {
            assert_eq!(token.as_deref(), reference.text("token"));
            ("meta", *meta)
        }
        Ok(Request::Update { meta }) => ("meta", *meta),
        Ok(Request::Offer { sdp } | Request::Answer { sdp }) => ("sdp", Some(*sdp)),
        Ok(Request::Ice { candidate }) => ("candidate", Some(*candidate)),
        Ok(Request::Message { data }) => ("data", Some(*data)),
        _ => return,
    };
    let payload = payload.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap());
    assert_eq!(payload.as_ref(), reference.get(name));
}

fn payloads<'a>(frame: &RequestFrame<'a>) -> Option<&'a RawValue> {
    match &frame.request {
        Ok(Request::Join { meta, .. } | Request::Update { meta }) => *meta,
        Ok(Request::Offer { sdp } | Request::Answer { sdp }) => Some(sdp),
        Ok(Request::Ice { candidate }) => Some(candidate),
        Ok(Request::Message { data }) => Some(data),
        _ => None,
    }
}
