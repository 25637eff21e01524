//! JSON strings and numbers, written into a buffer.

use mainstay_store::Cell;

/// Writes `text` as a JSON string with its quotes.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = find_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        push_escaped(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes one cell as a JSON value.
pub(crate) fn push_cell(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(true) => out.extend_from_slice(b"true"),
        Cell::Bool(false) => out.extend_from_slice(b"false"),
        Cell::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Cell::Float(value) => push_float(out, value),
        Cell::Digits(text) | Cell::Json(text) => out.extend_from_slice(text.as_bytes()),
        Cell::Text(text) => push_string(out, text),
        Cell::Plain(text) => {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
        Cell::Bytes(bytes) => {
            out.extend_from_slice(br#""\\x"#);
            push_hex(out, bytes);
            out.push(b'"');
        }
    }
}

/// The shortest digits that read back to the same double; whole numbers without a point.
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// Writes compact JSON without the object members that are null, at any depth.
pub(crate) fn push_without_nulls(out: &mut Vec<u8>, json: &str) {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = if bytes[at] == b'"' { string_end(bytes, at) } else { at + 1 };
        // Only a member's name is followed by a colon.
        if bytes[at] != b'"' || !bytes[end..].starts_with(b":null") {
            out.extend_from_slice(&bytes[at..end]);
            at = end;
            continue;
        }
        at = end + ":null".len();
        // One of the commas around the member goes with it.
        if out.last() == Some(&b',') {
            out.pop();
        } else if bytes.get(at) == Some(&b',') {
            at += 1;
        }
    }
}

/// The place after the string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Two lower-case hex digits an octet.
pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]));
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            return push_hex(out, &[byte]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Position of the first byte that a JSON string cannot hold as it is: a control character, `"` or `\`.
fn find_escape(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\')?;
    Some(words.len() * 8 + at)
}

/// The high bit of each byte of `word` that must be escaped. A borrow may mark bytes above a marked one as well, so
/// only the lowest mark is certain; it is all that [`find_escape`] reads.
fn marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let below = |x: u64, bound: u64| x.wrapping_sub(bound * ONES) & !x;
    let equal = |byte: u8| below(word ^ (u64::from(byte) * ONES), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        for (text, expected) in [
            ("", r#""""#),
            ("plain text, é, 木 and 🦀", r#""plain text, é, 木 and 🦀""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}", "\"\\n\\r\\t\\b\\f\\u0000\\u001f\u{7f}\""),
            ("1234567\"", r#""1234567\"""#),
            ("12345678\"", r#""12345678\"""#),
        ] {
            assert_eq!(string(text), expected);
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in 0..128u8 {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                let expected = (byte < 0x20 || byte == b'"' || byte == b'\\').then_some(place);
                assert_eq!(find_escape(&bytes), expected, "byte {byte} at {place}");
            }
        }
    }

    #[test]
    fn floats_are_json_and_whole_ones_have_no_point() {
        for (value, expected) in [(1.0, "1"), (-0.5, "-0.5"), (1e300, "1e300"), (5e-324, "5e-324"), (0.1, "0.1")] {
            let mut out = Vec::new();
            push_float(&mut out, value);
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn null_members_go_and_null_elements_stay() {
        for (json, expected) in [
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":null,"b":1}"#, r#"{"b":1}"#),
            (r#"{"a":1,"b":null,"c":null,"d":2}"#, r#"{"a":1,"d":2}"#),
            (r#"{"a":null,"b":null}"#, "{}"),
            (r#"[null,{"x":{"y":null}},"a\":null"]"#, r#"[null,{"x":{}},"a\":null"]"#),
            ("null", "null"),
        ] {
            let mut out = Vec::new();
            push_without_nulls(&mut out, json);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn strings_read_back(text in "(?s).{0,64}") {
            prop_assert_eq!(serde_json::from_str::<String>(&string(&text)).unwrap(), text);
        }

        #[test]
        fn floats_read_back(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            let mut out = Vec::new();
            push_float(&mut out, value);
            prop_assert_eq!(std::str::from_utf8(&out).unwrap().parse::<f64>().unwrap(), value);
        }
    }
}
