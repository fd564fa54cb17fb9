//! Reading the texts that the scripts write: words with a space between, then lengths.

/// What is left of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl<'a> Text<'a> {
    /// What stands before the next space.
    pub(crate) fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.0.split_once(' ')?;
        self.0 = rest;
        Some(word)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    /// A number of 64 bits, in hexadecimal.
    pub(crate) fn hex(&mut self) -> Option<u64> {
        u64::from_str_radix(self.word()?, 16).ok()
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A length, a space, and as many bytes.
    pub(crate) fn counted(&mut self) -> Option<&'a str> {
        let length = self.word()?.parse().ok()?;
        self.take(length)
    }

    /// Passes over one space.
    pub(crate) fn space(&mut self) -> Option<()> {
        self.0 = self.0.strip_prefix(' ')?;
        Some(())
    }

    pub(crate) fn rest(self) -> &'a str {
        self.0
    }
}
