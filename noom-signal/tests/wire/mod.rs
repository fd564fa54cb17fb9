//! Reading a client's frame, and what is true of every one that is refused.

use noom_signal::protocol::{ClientMessage, Refusal, RequestFrame};

/// `limits.depth` of a server with the default limits.
pub(crate) const DEPTH: usize = 32;

/// The frame as the server reads it.
pub(crate) fn read(text: &str) -> RequestFrame<'_> {
    RequestFrame::parse(text, DEPTH)
}

/// `text` is answered with `bad_message`, and it has no typed form. What was readable is left.
#[track_caller]
pub(crate) fn bad(text: &str) -> RequestFrame<'_> {
    let frame = read(text);
    let start: String = text.chars().take(200).collect();
    let Err(Refusal::BadMessage(why)) = &frame.request else { panic!("{start}: {frame:?}") };
    // The reason goes back in an error: it must not grow with what it is about.
    assert!(!why.is_empty() && why.len() < 200, "{start}: {why}");
    assert!(text.parse::<ClientMessage>().is_err(), "{start}");
    frame
}

/// `text` is a request.
#[track_caller]
pub(crate) fn good(text: &str) -> RequestFrame<'_> {
    let frame = read(text);
    let start: String = text.chars().take(200).collect();
    assert!(frame.request.is_ok(), "{start}: {frame:?}");
    frame
}
