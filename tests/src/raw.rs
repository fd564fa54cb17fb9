//! A connection below WebSocket, to break its rules.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::timeout,
};

use crate::PATIENCE;

/// A TCP connection that says anything.
///
/// It reads all the while, as a browser does: what is written does not wait for what is read.
#[derive(Debug)]
pub struct RawSocket {
    write: OwnedWriteHalf,
    read: mpsc::UnboundedReceiver<Vec<u8>>,
}

/// The mask of every frame; any will do.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

impl RawSocket {
    /// Connects, and says nothing.
    pub async fn open(address: SocketAddr) -> Self {
        let (read, write) = TcpStream::connect(address).await.unwrap().into_split();
        let (chunks, taken) = mpsc::unbounded_channel();
        tokio::spawn(read_to_end(read, chunks));
        Self { write, read: taken }
    }

    /// Writes these bytes, as far as the server takes them.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.try_write(bytes).await;
    }

    /// Writes these bytes; an error says that the server has cut the connection.
    pub async fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write.write_all(bytes).await
    }

    /// Whether the server has said something that was not read here yet.
    pub fn has_read(&self) -> bool {
        !self.read.is_empty()
    }

    /// Asks for a WebSocket.
    pub async fn upgrade(&mut self) {
        let request = "GET /signal HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        self.write(request.as_bytes()).await;
    }

    /// Sends one masked frame.
    pub async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ ..126 => frame.push(0x80 | length as u8),
            length @ ..65536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.write(&frame).await;
    }

    /// Reads up to the server's close frame: the texts before it, and its code. No code where the
    /// connection ended without.
    pub async fn closed(mut self) -> (Vec<String>, Option<u16>) {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await {
            bytes.extend(chunk);
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            let (texts, code) = head.map(|at| frames(&bytes[at + 4..])).unwrap_or_default();
            if code.is_some() {
                return (texts, code);
            }
        }
        (Vec::new(), None)
    }

    /// Reads to the connection's end: everything, as it came. No close is answered meanwhile.
    pub async fn end(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await {
            bytes.extend(chunk);
        }
        bytes
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        timeout(PATIENCE, self.read.recv()).await.expect("an end")
    }
}

/// The texts among a server's frames up to its close, and that one's code.
fn frames(mut bytes: &[u8]) -> (Vec<String>, Option<u16>) {
    let mut texts = Vec::new();
    while let Some((opcode, payload, rest)) = split_frame(bytes) {
        match opcode {
            1 => texts.push(String::from_utf8(payload.to_vec()).unwrap()),
            8 => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                return (texts, code);
            }
            _ => {}
        }
        bytes = rest;
    }
    (texts, None)
}

/// The first frame's opcode and payload, and what follows it; `None` where it is not all there.
fn split_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short {
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length) as usize, rest)
        }
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u16::from_be_bytes(*length).into(), rest)
        }
        short => (usize::from(short), rest),
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    Some((first & 0x0f, payload, rest))
}

async fn read_to_end(mut read: OwnedReadHalf, chunks: mpsc::UnboundedSender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    // A reset ends it as well; what came before it is kept.
    while let Ok(length @ 1..) = read.read(&mut buffer).await {
        if chunks.send(buffer[..length].to_vec()).is_err() {
            return;
        }
    }
}
