//! Bodies that come compressed (`Content-Encoding`): unpacked under the limit of a body, and not at any ratio.

use std::io::{self, Read};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue};

use crate::errors::Problem;
use crate::errors::codes::{BODY, BODY_LARGE, CODING};

/// What a body may be packed in, for whoever sent something else.
pub(crate) const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, zstd");

/// How many times larger a body may become.
const RATIO_MAX: usize = 100;
/// The window that a zstd body may ask for, as a power of two: 8 MiB, as RFC 9659 has it.
const WINDOW_LOG_MAX: u32 = 23;

/// A coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Deflate,
    Zstd,
}

/// How a body is packed, if it is.
pub(crate) fn packing(headers: &HeaderMap) -> Result<Option<Packing>, Problem> {
    let mut names = headers.get_all(CONTENT_ENCODING).iter();
    let Some(name) = names.next() else { return Ok(None) };
    let text = name.to_str().unwrap_or_default().trim();
    let packing = if text.eq_ignore_ascii_case("identity") {
        None
    } else if text.eq_ignore_ascii_case("gzip") || text.eq_ignore_ascii_case("x-gzip") {
        Some(Packing::Gzip)
    } else if text.eq_ignore_ascii_case("deflate") {
        Some(Packing::Deflate)
    } else if text.eq_ignore_ascii_case("zstd") {
        Some(Packing::Zstd)
    } else {
        return Err(unknown(text));
    };
    // One packing is enough; several would multiply.
    if names.next().is_some() { Err(unknown("more than one")) } else { Ok(packing) }
}

fn unknown(name: &str) -> Problem {
    Problem::new(CODING, format!("Content-Encoding not acceptable: {name}"))
        .hint("Send the body as it is, or in one of gzip, deflate and zstd.")
        .header(ACCEPT_ENCODING, CODINGS)
}

/// The body without its packing, which may have at most `max` octets.
pub(crate) fn unpack(packing: Packing, packed: &[u8], max: usize) -> Result<Bytes, Problem> {
    let ratio_max = packed.len().saturating_mul(RATIO_MAX);
    let mut out = Vec::with_capacity(packed.len().saturating_mul(4).min(max));
    let limit = max.min(ratio_max) as u64 + 1;
    let mut is_whole = !packed.is_empty();
    let read = match packing {
        Packing::Gzip => flate2::bufread::MultiGzDecoder::new(packed).take(limit).read_to_end(&mut out),
        Packing::Deflate => {
            let mut decoder = flate2::bufread::ZlibDecoder::new(packed);
            let read = decoder.by_ref().take(limit).read_to_end(&mut out);
            // What comes after the end would be passed over.
            is_whole &= decoder.total_in() == packed.len() as u64;
            read
        }
        Packing::Zstd => zstd(packed).and_then(|decoder| decoder.take(limit).read_to_end(&mut out)),
    };
    if out.len() > max {
        return Err(Problem::new(BODY_LARGE, format!("limits.body_bytes_max is {max}; this body unpacks to more")));
    }
    if out.len() > ratio_max {
        let message = format!("The body unpacks to more than {RATIO_MAX} times its size");
        return Err(Problem::new(BODY_LARGE, message).hint("Send it as it is, or in several requests."));
    }
    match read {
        Ok(_) if is_whole => Ok(Bytes::from(out)),
        Ok(_) => {
            Err(Problem::new(BODY, "The body cannot be unpacked").details("It is empty, or goes on after its end."))
        }
        Err(error) => Err(Problem::new(BODY, "The body cannot be unpacked").details(reason(&error))),
    }
}

fn zstd(packed: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "It ends in the middle.",
        _ => "It is not of the coding that Content-Encoding names, or it is damaged.",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(text, 3).unwrap()
    }

    fn status(packing: Packing, packed: &[u8], max: usize) -> u16 {
        unpack(packing, packed, max).map_or_else(|problem| problem.status().as_u16(), |_| 200)
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        for (packing, packed) in
            [(Packing::Gzip, gzip(&text)), (Packing::Deflate, deflate(&text)), (Packing::Zstd, zstd(&text))]
        {
            assert_eq!(unpack(packing, &packed, text.len()).unwrap(), text, "{packing:?}");
            assert_eq!(status(packing, &packed, text.len() - 1), 413, "{packing:?} over the limit");
            assert_eq!(status(packing, &packed[..packed.len() - 1], text.len()), 400, "{packing:?} cut");
            assert_eq!(status(packing, &packed[..packed.len() / 2], text.len()), 400, "{packing:?} cut in half");
            assert_eq!(status(packing, b"nonsense", text.len()), 400, "{packing:?} of nothing");
            assert_eq!(status(packing, b"", text.len()), 400, "{packing:?} of no octets");
            assert_eq!(status(packing, &[&packed[..], b"more"].concat(), text.len()), 400, "{packing:?} and more");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let zeros = vec![b' '; 20 << 20];
        for (packing, packed) in
            [(Packing::Gzip, gzip(&zeros)), (Packing::Deflate, deflate(&zeros)), (Packing::Zstd, zstd(&zeros))]
        {
            let begun = std::time::Instant::now();
            assert_eq!(status(packing, &packed, 1 << 20), 413, "{packing:?} by size");
            assert_eq!(status(packing, &packed, usize::MAX >> 1), 413, "{packing:?} by ratio");
            assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{packing:?} took {:?}", begun.elapsed());
        }
        // A frame that wants a window of 128 MiB.
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"[]").unwrap();
        assert_eq!(status(Packing::Zstd, &encoder.finish().unwrap(), 1 << 20), 400);
    }

    #[test]
    fn one_known_coding_is_taken() {
        let check = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            packing(&headers).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(check(&[]), Ok(None));
        assert_eq!(check(&["identity"]), Ok(None));
        assert_eq!(check(&["GZIP"]), Ok(Some(Packing::Gzip)));
        assert_eq!(check(&["zstd"]), Ok(Some(Packing::Zstd)));
        assert_eq!(check(&["br"]), Err(415));
        assert_eq!(check(&["gzip, gzip"]), Err(415));
        assert_eq!(check(&["gzip", "gzip"]), Err(415));
        assert_eq!(check(&[""]), Err(415));
    }
}
