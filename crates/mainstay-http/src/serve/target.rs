//! Request targets as people type them: `?select=data->a` holds a `>`, which the HTTP library refuses. Such octets are
//! percent-encoded before it sees them, as a browser would have done.
//!
//! Only the target of a request line is touched, and only where it is certain to be one: at the start of a connection,
//! and after a request that had no body and was read to its last octet. As soon as that is in doubt (a body, requests
//! sent without waiting for the answers, HTTP/2) everything passes as it is, for the rest of the connection. Nothing
//! that ends a line or a head is ever written, so no framing changes by it.

/// Where in the requests of a connection the next octet lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a request line.
    Start,
    /// In the request line; how many spaces lie before.
    Line(u8),
    /// In the header fields.
    Fields,
    /// After a head that ended with the last octet of what was read.
    Between,
    /// Somewhere.
    Lost,
}

/// Follows what a connection reads.
#[derive(Debug)]
pub(super) struct Targets {
    place: Place,
    /// The last three octets of the header fields so far.
    tail: [u8; 3],
}

impl Targets {
    /// At the start of a connection.
    pub(super) fn new() -> Targets {
        Targets { place: Place::Start, tail: [0; 3] }
    }

    /// Whether the caller must say if the next octets begin a request, by [`Targets::begin`].
    pub(super) fn is_between(&self) -> bool {
        self.place == Place::Between
    }

    /// What follows begins a request; or it cannot be told.
    pub(super) fn begin(&mut self, is_certain: bool) {
        self.place = if is_certain { Place::Start } else { Place::Lost };
    }

    /// Looks through octets that were read. `Some` holds them with the targets made right, if there was need.
    pub(super) fn pass(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        let mut made_right = None;
        let mut rest = octets;
        while !rest.is_empty() {
            match self.place {
                Place::Start | Place::Line(_) => {
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    self.line(octets, octets.len() - rest.len(), end, &mut made_right);
                    rest = &rest[end..];
                }
                Place::Fields => {
                    let after = self.fields(rest);
                    if let Some(out) = &mut made_right {
                        out.extend_from_slice(&rest[..rest.len() - after.len()]);
                    }
                    rest = after;
                }
                // More than a head was read at once: a body, or another request.
                Place::Between => self.place = Place::Lost,
                Place::Lost => break,
            }
        }
        if let Some(made_right) = &mut made_right
            && !rest.is_empty()
        {
            made_right.extend_from_slice(rest);
        }
        made_right
    }

    /// Goes through `octets[start..start + length]`, which are of one request line.
    fn line(&mut self, octets: &[u8], start: usize, length: usize, made_right: &mut Option<Vec<u8>>) {
        let line = &octets[start..start + length];
        let mut spaces = match self.place {
            Place::Line(spaces) => spaces,
            // Empty lines before a request mean nothing.
            _ if line.iter().all(|b| matches!(b, b'\r' | b'\n')) => {
                if let Some(out) = made_right {
                    out.extend_from_slice(line);
                }
                return;
            }
            _ => 0,
        };
        for (at, octet) in line.iter().enumerate() {
            if *octet == b' ' {
                spaces = spaces.saturating_add(1);
            }
            if spaces == 1 && needs_encoding(*octet) {
                let out = made_right.get_or_insert_with(|| octets[..start + at].to_vec());
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                out.extend([b'%', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
            } else if let Some(out) = made_right {
                out.push(*octet);
            }
        }
        self.place = match line.last() {
            Some(b'\n') => {
                self.tail = [0, 0, b'\n'];
                Place::Fields
            }
            _ => Place::Line(spaces),
        };
    }

    /// Goes through header fields up to the end of the head; gives back what follows it.
    fn fields<'o>(&mut self, octets: &'o [u8]) -> &'o [u8] {
        // Two line ends in a row, either of which may lack its carriage return. The first may lie in what was read before.
        let more = octets.len().min(2);
        let mut seam = [0; 5];
        seam[..3].copy_from_slice(&self.tail);
        seam[3..3 + more].copy_from_slice(&octets[..more]);
        if let Some(end) = head_end(&seam[..3 + more]) {
            self.place = Place::Between;
            return &octets[end.saturating_sub(3).min(octets.len())..];
        }
        if let Some(end) = head_end(octets) {
            self.place = Place::Between;
            return &octets[end..];
        }
        let kept = octets.len().min(3);
        self.tail.rotate_left(kept);
        self.tail[3 - kept..].copy_from_slice(&octets[octets.len() - kept..]);
        &[]
    }
}

/// The place after the end of a head.
fn head_end(octets: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', octets).find_map(|at| match octets[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// Octets that no URL holds as they are, and that a person may well type. The space is not among them: it ends the
/// target.
fn needs_encoding(octet: u8) -> bool {
    matches!(octet, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of octets that are read in these pieces, with a pause after each head.
    fn pass(pieces: &[&[u8]]) -> String {
        let mut targets = Targets::new();
        let mut out = Vec::new();
        for piece in pieces {
            if targets.is_between() {
                targets.begin(true);
            }
            out.extend_from_slice(&targets.pass(piece).unwrap_or_else(|| piece.to_vec()));
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_is_typed_into_a_url_is_encoded() {
        for (typed, expected) in [
            ("GET /t?select=a->b HTTP/1.1\r\nx: a>b\r\n\r\n", "GET /t?select=a-%3Eb HTTP/1.1\r\nx: a>b\r\n\r\n"),
            ("GET /t?a=cs.{\"x\"}|^`\\< HTTP/1.1\r\n\r\n", "GET /t?a=cs.%7B%22x%22%7D%7C%5E%60%5C%3C HTTP/1.1\r\n\r\n"),
            ("GET /t?n=eq.é HTTP/1.1\r\n\r\n", "GET /t?n=eq.%C3%A9 HTTP/1.1\r\n\r\n"),
            ("\r\n\r\nGET /> HTTP/1.1\n\n", "\r\n\r\nGET /%3E HTTP/1.1\n\n"),
            ("G>T / H>P\r\n\r\n", "G>T / H>P\r\n\r\n"),
            ("GET /a b> HTTP/1.1\r\n\r\n", "GET /a b> HTTP/1.1\r\n\r\n"),
        ] {
            assert_eq!(pass(&[typed.as_bytes()]), expected);
            let octets: Vec<&[u8]> = typed.as_bytes().chunks(1).collect();
            assert_eq!(pass(&octets), expected, "octet by octet");
        }
        assert!(Targets::new().pass(b"GET /t?select=a HTTP/1.1\r\nhost: x\r\n\r\n").is_none(), "nothing is copied");
    }

    #[test]
    fn the_next_request_is_found_and_a_body_is_not_touched() {
        let one = b"GET /a> HTTP/1.1\r\n\r\n";
        let right = "GET /a%3E HTTP/1.1\r\n\r\n";
        assert_eq!(pass(&[one, one]), right.repeat(2));
        // Not one after the other: the second may as well be a body.
        let both = [&one[..], one].concat();
        let expected = format!("{right}{}", String::from_utf8_lossy(one));
        assert_eq!(pass(&[&both]), expected);
        assert_eq!(pass(&[&both, one]), format!("{expected}{}", String::from_utf8_lossy(one)));
        let mut targets = Targets::new();
        assert!(targets.pass(one).is_some() && targets.is_between());
        targets.begin(false);
        assert!(targets.pass(one).is_none() && !targets.is_between());
    }

    proptest! {
        #[test]
        fn nothing_but_targets_changes_and_pieces_do_not_matter(
            octets in prop::collection::vec(prop::sample::select(b"GET /a>{\r\n:x ".to_vec()), 0..60),
            cuts in prop::collection::vec(1usize..8, 1..60),
        ) {
            let mut targets = Targets::new();
            let whole = targets.pass(&octets).unwrap_or_else(|| octets.clone());
            let mut pieces = Vec::new();
            let mut rest = &octets[..];
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            let mut targets = Targets::new();
            let mut out = Vec::new();
            for piece in pieces {
                if targets.is_between() && !piece.is_empty() {
                    targets.begin(false);
                }
                out.extend(targets.pass(piece).unwrap_or_else(|| piece.to_vec()));
            }
            prop_assert_eq!(&out, &whole);
            // Ends of lines, spaces and their order are as they were.
            let frame = |octets: &[u8]| octets.iter().copied().filter(|b| matches!(b, b'\r' | b'\n' | b' ' | b':')).collect::<Vec<_>>();
            prop_assert_eq!(frame(&whole), frame(&octets));
        }
    }
}
