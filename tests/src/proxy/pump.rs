//! One direction of a connection.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::tcp::{ReadHalf, WriteHalf},
    select,
    sync::watch,
};

use super::{
    Way,
    frames::{Frames, frame_length},
};

/// What a pump does with what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Carry,
    /// Cuts the next text in the middle; the number decides where.
    Tear(usize),
    /// Makes up a close with this code at the end of the present frame; nothing follows it.
    Close(u16),
    Swallow,
    /// Keeps it until the reading end has closed.
    Hold,
}

/// A frame was torn: the connection is to end here.
pub(super) struct Torn;

/// Carries bytes from one end to the other.
pub(super) struct Pump<'a> {
    read: ReadHalf<'a>,
    write: WriteHalf<'a>,
    mode: watch::Receiver<Mode>,
    frames: Frames,
}

/// The mask of the closes that a client is to have sent; any will do.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

impl<'a> Pump<'a> {
    pub(super) fn new(
        read: ReadHalf<'a>,
        write: WriteHalf<'a>,
        mode: watch::Receiver<Mode>,
    ) -> Self {
        Self { read, write, mode, frames: Frames::new() }
    }

    /// Carries until the reading end has nothing more, and tells the other end so, unless that is
    /// to hear nothing.
    pub(super) async fn run(mut self, way: Way) -> Result<(), Torn> {
        let mut buffer = vec![0; 8 * 1024];
        let mut held = Vec::new();
        loop {
            let mode = *self.mode.borrow_and_update();
            if matches!(mode, Mode::Close(_)) && self.frames.between() {
                return self.close(mode, way).await;
            }
            let count = select! {
                biased;
                _ = self.mode.changed() => continue,
                read = self.read.read(&mut buffer) => read.unwrap_or(0),
            };
            let bytes = &buffer[..count];
            match mode {
                _ if count == 0 => break,
                Mode::Carry => self.pass(bytes).await,
                Mode::Swallow => {}
                Mode::Hold => held.extend_from_slice(bytes),
                Mode::Close(_) => {
                    let used = self.frames.finish(bytes);
                    self.write(&bytes[..used]).await;
                }
                Mode::Tear(at) => self.tear(bytes, at).await?,
            }
        }
        if *self.mode.borrow() == Mode::Swallow {
            return Ok(());
        }
        self.write(&held).await;
        let _ = self.write.shutdown().await;
        Ok(())
    }

    async fn pass(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.frames.finish(rest)..];
        }
        self.write(bytes).await;
    }

    /// Carries up to the middle of a text, where there is one in these bytes.
    async fn tear(&mut self, bytes: &[u8], at: usize) -> Result<(), Torn> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.frames.between() && rest[0] & 0x0f == 1 {
                // At least one byte, and one too few.
                let length = frame_length(rest).unwrap_or(2);
                let some = 1 + at % (length - 1);
                self.write(&rest[..some.min(rest.len())]).await;
                return Err(Torn);
            }
            let used = self.frames.finish(rest);
            self.write(&rest[..used]).await;
            rest = &rest[used..];
        }
        Ok(())
    }

    /// Makes up a close, then swallows what comes.
    async fn close(&mut self, mode: Mode, way: Way) -> Result<(), Torn> {
        let Mode::Close(code) = mode else { return Ok(()) };
        let [high, low] = code.to_be_bytes();
        match way {
            Way::Down => self.write(&[0x88, 2, high, low]).await,
            Way::Up => {
                let [m0, m1, m2, m3] = MASK;
                self.write(&[0x88, 0x82, m0, m1, m2, m3, high ^ m0, low ^ m1]).await;
            }
        }
        let _ = copy(&mut self.read, &mut sink()).await;
        let _ = self.write.shutdown().await;
        Ok(())
    }

    /// Writes, where there is still somebody to read it. Where not, the other pump hears of it.
    async fn write(&mut self, bytes: &[u8]) {
        let _ = self.write.write_all(bytes).await;
    }
}
