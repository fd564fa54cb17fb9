//! Where in a stream of WebSocket frames one is.

/// Follows one direction of a connection: an HTTP head, then WebSocket frames.
#[derive(Debug)]
pub(super) enum Frames {
    /// In the head; so many bytes of its end have come.
    Head(usize),
    /// In a frame's header, of which these bytes have come; none of them between two frames.
    Header(Vec<u8>),
    /// In a frame, of which so many bytes are to come.
    Payload(usize),
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

impl Frames {
    pub(super) fn new() -> Self {
        Self::Head(0)
    }

    /// Whether the next byte begins a frame.
    pub(super) fn between(&self) -> bool {
        matches!(self, Self::Header(header) if header.is_empty())
    }

    /// Goes on to the end of the head or of the frame that it is in. Returns how many of these bytes
    /// that took: all of them, where it is still in the middle.
    pub(super) fn finish(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some(&byte) = bytes.get(used) {
            match self {
                Self::Head(matched) => {
                    used += 1;
                    *matched = match byte == END_OF_HEAD[*matched] {
                        true => *matched + 1,
                        false => usize::from(byte == END_OF_HEAD[0]),
                    };
                    if *matched < END_OF_HEAD.len() {
                        continue;
                    }
                    *self = Self::Header(Vec::new());
                }
                Self::Header(header) => {
                    used += 1;
                    header.push(byte);
                    match frame_length(header).map(|length| length - header.len()) {
                        None => continue,
                        Some(0) => *self = Self::Header(Vec::new()),
                        Some(left) => {
                            *self = Self::Payload(left);
                            continue;
                        }
                    }
                }
                Self::Payload(left) => {
                    let taken = (*left).min(bytes.len() - used);
                    used += taken;
                    *left -= taken;
                    if *left > 0 {
                        continue;
                    }
                    *self = Self::Header(Vec::new());
                }
            }
            break;
        }
        used
    }
}

/// The length of the frame that begins with these bytes, its header included; `None` where they are
/// not enough to tell.
pub(super) fn frame_length(bytes: &[u8]) -> Option<usize> {
    let short = *bytes.get(1)?;
    let mask = if short & 0x80 == 0 { 0 } else { 4 };
    let (header, payload) = match short & 0x7f {
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        length => (2, length.into()),
    };
    let header: usize = header + mask;
    (bytes.len() >= header).then_some(header + payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_frames_wherever_reads_begin_and_end() {
        let mut stream = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
        let mut ends = vec![stream.len()];
        for (masked, length) in [(true, 5_usize), (false, 0), (true, 300), (false, 70_000)] {
            let mask = if masked { 0x80 } else { 0 };
            stream.push(0x81);
            match length {
                ..126 => stream.push(mask | length as u8),
                126..65536 => {
                    stream.push(mask | 126);
                    stream.extend((length as u16).to_be_bytes());
                }
                _ => {
                    stream.push(mask | 127);
                    stream.extend((length as u64).to_be_bytes());
                }
            }
            stream.resize(stream.len() + length + if masked { 4 } else { 0 }, b'\r');
            ends.push(stream.len());
        }
        for step in [1, 2, 3, 7, 64, 1000, 100_000] {
            let (mut frames, mut found, mut at) = (Frames::new(), Vec::new(), 0);
            for mut chunk in stream.chunks(step) {
                while !chunk.is_empty() {
                    let used = frames.finish(chunk);
                    at += used;
                    chunk = &chunk[used..];
                    if frames.between() {
                        found.push(at);
                    }
                }
            }
            assert_eq!(found, ends, "in steps of {step}");
        }
    }
}
