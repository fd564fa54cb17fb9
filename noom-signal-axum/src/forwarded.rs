//! Where a client is, as the proxies before the server tell it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// The address that the outermost of so many proxies saw: that many places from the right, over all
/// lines of `X-Forwarded-For`, for each proxy adds to the end. What a client writes there itself
/// cannot move those places, be it another line or no text at all.
///
/// `None` where that place holds no address, or is not there.
pub(crate) fn address(headers: &HeaderMap, proxies: usize) -> Option<SocketAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut places = lines.flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    let seen = places.nth(proxies.checked_sub(1)?)?;
    let seen = str::from_utf8(seen).ok()?.trim();
    // Some write the port too, and some write brackets around an IPv6 address without one.
    let plain = seen.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(seen);
    let plain = || Some(SocketAddr::new(plain.parse::<IpAddr>().ok()?, 0));
    seen.parse().ok().or_else(plain)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// What so many proxies make of these lines.
    fn seen(lines: &[&[u8]], proxies: usize) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        address(&headers, proxies).map(|address| address.to_string())
    }

    #[test]
    fn the_nth_from_the_right_over_all_lines() {
        let lines: [&[u8]; 2] = [b"6.6.6.6, 192.0.2.7", b"198.51.100.1 ,\t2001:db8::1"];
        let answers = ["[2001:db8::1]:0", "198.51.100.1:0", "192.0.2.7:0", "6.6.6.6:0"];
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(seen(&lines, n + 1).as_deref(), Some(*answer));
        }
        assert_eq!(seen(&lines, 5), None);
        assert_eq!(seen(&lines, 0), None);
        assert_eq!(seen(&[], 1), None);
    }

    #[test]
    fn ports_and_brackets() {
        for (text, answer) in [
            ("192.0.2.1:4711", "192.0.2.1:4711"),
            ("[2001:db8::1]:4711", "[2001:db8::1]:4711"),
            ("[2001:db8::1]", "[2001:db8::1]:0"),
            ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:0"),
            ("  192.0.2.1\t", "192.0.2.1:0"),
        ] {
            assert_eq!(seen(&[text.as_bytes()], 1).as_deref(), Some(answer), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            " ",
            "unknown",
            "_hidden",
            "192.0.2.1.",
            "192.0.2.256",
            "192.0.2.1:99999",
            "[2001:db8::1",
            "2001:db8::1]",
            "[[::1]]",
            "\"192.0.2.1\"",
            "for=192.0.2.1",
            "fe80::1%eth0",
            "192.0.2.1 6.6.6.6",
            "example.org",
        ] {
            assert_eq!(seen(&[text.as_bytes()], 1), None, "{text}");
            // Nor is something further left taken in its place.
            assert_eq!(seen(&[format!("6.6.6.6, {text}").as_bytes()], 1), None, "{text}");
        }
    }

    #[test]
    fn what_a_client_writes_moves_no_place() {
        // A proxy appends to the last line, or adds a line. The client's bytes are no text.
        for claim in [&b"\xff"[..], b"6.6.6.6, \xc3\x28", b",,,", b"", b"caf\xc3\xa9"] {
            let appended = [claim, b", 192.0.2.1"].concat();
            assert_eq!(seen(&[b"6.6.6.6", &appended], 1).as_deref(), Some("192.0.2.1:0"));
            assert_eq!(seen(&[b"6.6.6.6", claim, b"192.0.2.1"], 1).as_deref(), Some("192.0.2.1:0"));
            let inner = [claim, b", 192.0.2.1"].concat();
            let both: [&[u8]; 3] = [b"6.6.6.6", &inner, b"198.51.100.9"];
            assert_eq!(seen(&both, 2).as_deref(), Some("192.0.2.1:0"));
        }
        // Fewer proxies than told of: the place is the client's, and what it holds no address.
        assert_eq!(seen(&[b"6.6.6.6", b"\xff", b"192.0.2.1"], 2), None);
    }
}
