//! What a JSON parser lets through and this protocol refuses: depth, and lone surrogates.
//!
//! Both run over every message, and nearly every message has neither deep nesting nor a `\u`
//! escape. So each begins with a vectorised look for the bare possibility, and reads the text
//! properly only then. Both expect text that is known to be well-formed JSON.

use memchr::{memchr2, memmem};

/// Whether arrays and objects nest deeper than `limit`, the outermost being level 1.
pub(super) fn deeper_than(text: &str, limit: usize) -> bool {
    let bytes = text.as_bytes();
    // Each level needs an opening bracket. Those inside strings are counted too, which only makes
    // this first look cautious.
    let brackets = bytes.iter().filter(|&&b| b == b'{' || b == b'[').count();
    brackets > limit && deepest(bytes) > limit
}

fn deepest(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(bytes, at + 1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// The index of the quote that ends the string whose content begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(offset) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += offset;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// Whether a string holds a `\ud800` to `\udfff` escape that is not half of a pair (RFC 8259
/// section 8.2): no Unicode text has one, and receivers disagree on what to make of it.
pub(super) fn has_lone_surrogate(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(offset) = memmem::find(&bytes[at..], br"\u") {
        let escape = at + offset;
        // `\\u` is an escaped backslash and a letter. Count the backslashes that lead here.
        let backslashes = bytes[..escape].iter().rev().take_while(|&&b| b == b'\\').count();
        if backslashes % 2 == 1 {
            at = escape + 1;
            continue;
        }
        match unit(bytes, escape) {
            Some(0xd800..=0xdbff) => match unit(bytes, escape + 6) {
                Some(0xdc00..=0xdfff) => at = escape + 12,
                _ => return true,
            },
            Some(0xdc00..=0xdfff) => return true,
            _ => at = escape + 2,
        }
    }
    false
}

/// The UTF-16 unit of the `\uXXXX` at `at`, where there is one.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let hex = bytes.get(at..at + 6)?.strip_prefix(br"\u")?;
    u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!deeper_than(&nested(32), 32));
        assert!(deeper_than(&nested(33), 32));
        assert!(!deeper_than(&"[],".repeat(1000), 32));
        assert!(!deeper_than(&format!(r#"{{"a":"{}"}}"#, "[{".repeat(100)), 32));
        assert!(!deeper_than(&format!(r#"{{"a":"\\\"{}"}}"#, "[".repeat(100)), 32));
        assert!(deeper_than(&format!(r#"{{"a":"\\",{}"}}"#, "[".repeat(100)), 32));
    }

    #[test]
    fn surrogates_must_come_in_pairs() {
        for fine in [r#""\ud83d\ude00""#, r#""\\ud800""#, r#""\\\\ud800""#, r#""\u0041\n\uffff""#] {
            assert!(!has_lone_surrogate(fine), "{fine}");
        }
        for lone in [
            r#""\ud800""#,
            r#""\uDC00""#,
            r#""\ud800\ud800""#,
            r#""\ud800A""#,
            r#""\ud800\u0041""#,
            r#""\\\ud800""#,
            r#""\ude00\ud83d""#,
            r#""\ud83d\ude00\ude00""#,
        ] {
            assert!(has_lone_surrogate(lone), "{lone}");
        }
    }
}
