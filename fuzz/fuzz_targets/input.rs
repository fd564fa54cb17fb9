//! The fuzzer's bytes, as choices.

/// Bytes to be used up. Once they are, every choice is the first.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u8) -> usize {
        usize::from(self.byte() % n)
    }

    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// As many bytes as the next one says, as text.
    pub fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}
