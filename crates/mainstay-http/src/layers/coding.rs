//! Content codings: which one an answer takes (`Accept-Encoding`), and compressing it.

use std::cell::RefCell;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Method, request};

use crate::body::AnswerBody;
use crate::edge::Answer;

/// When and how answers are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// Whether they are at all.
    pub is_on: bool,
    /// How hard to try, 1 to 9.
    pub level: u8,
    /// Octets of the smallest answer that is compressed.
    pub bytes_min: usize,
}

impl Default for Compression {
    fn default() -> Compression {
        Compression { is_on: true, level: 3, bytes_min: 1024 }
    }
}

/// Octets of the largest answer that is compressed where it is made; a larger one would hold up the requests beside it.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// None.
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// The coding that a caller likes best among ours; for equal weights the one that costs less.
    pub(crate) fn negotiate(compression: &Compression, headers: &HeaderMap) -> Coding {
        if !compression.is_on || !headers.contains_key(ACCEPT_ENCODING) {
            return Coding::Identity;
        }
        let texts = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut accepted = Accepted::default();
        texts.flat_map(|text| text.split(',')).for_each(|element| accepted.add(element));
        let (gzip, zstd) = (accepted.quality(accepted.gzip), accepted.quality(accepted.zstd));
        let identity = accepted.identity.unwrap_or(0.0);
        let best = zstd.max(gzip);
        if best <= 0.0 || best < identity {
            Coding::Identity
        } else if zstd >= gzip {
            Coding::Zstd
        } else {
            Coding::Gzip
        }
    }

    fn name(self) -> Option<HeaderValue> {
        match self {
            Coding::Identity => None,
            Coding::Gzip => Some(HeaderValue::from_static("gzip")),
            Coding::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
}

/// The weight behind `q=`, from 0 to 1; what is no weight weighs nothing.
pub(crate) fn weight(text: &str) -> f32 {
    text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
}

/// The weights of `Accept-Encoding`, as far as we care.
#[derive(Debug, Default, Clone, Copy)]
struct Accepted {
    gzip: Option<f32>,
    zstd: Option<f32>,
    identity: Option<f32>,
    any: Option<f32>,
}

impl Accepted {
    fn add(&mut self, element: &str) {
        let mut parts = element.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=").or_else(|| part.trim().strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |text| self::weight(text.trim()));
        let slot = if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            &mut self.gzip
        } else if name.eq_ignore_ascii_case("zstd") {
            &mut self.zstd
        } else if name.eq_ignore_ascii_case("identity") {
            &mut self.identity
        } else if name == "*" {
            &mut self.any
        } else {
            return;
        };
        slot.get_or_insert(weight);
    }

    fn quality(&self, named: Option<f32>) -> f32 {
        named.or(self.any).unwrap_or(0.0)
    }
}

/// Compresses an answer in one piece if its caller takes that and it is worth it, and says what it depends on.
pub(crate) async fn compress(compression: &Compression, head: &request::Parts, answer: &mut Answer) {
    if !compression.is_on || head.method == Method::HEAD {
        return;
    }
    let Some(body) = answer.body().as_whole().filter(|body| body.len() >= compression.bytes_min) else { return };
    if answer.headers().contains_key(CONTENT_ENCODING) || !is_text(answer.headers()) {
        return;
    }
    let coding = Coding::negotiate(compression, &head.headers);
    let encoded = match coding {
        Coding::Identity => None,
        coding => encode(coding, compression.level, body.clone()).await.filter(|encoded| encoded.len() < body.len()),
    };
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some(encoded) = encoded else { return };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(encoded.len()));
    mark(headers, coding);
    *answer.body_mut() = AnswerBody::whole(encoded);
}

/// Says that what goes out is encoded. A strong `ETag` names octets, so it names the coding too: `"…-gzip"`. The
/// preconditions of a request know it as that of the rows.
pub(crate) fn mark(headers: &mut HeaderMap, coding: Coding) {
    let Some(name) = coding.name() else { return };
    headers.insert(CONTENT_ENCODING, name.clone());
    if let Some(tag) = headers.get(ETAG).and_then(|tag| tag.as_bytes().strip_suffix(b"\""))
        && let Ok(tag) = HeaderValue::from_bytes(&[tag, b"-", name.as_bytes(), b"\""].concat())
    {
        headers.insert(ETAG, tag);
    }
}

/// What is packed by nature is not packed again.
fn is_text(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    media.starts_with(b"text/") || [&b"json"[..], b"xml"].iter().any(|word| memchr::memmem::find(media, word).is_some())
}

/// The whole of `body` encoded; `None` if that fails, when it can still be sent as it is.
async fn encode(coding: Coding, level: u8, body: Bytes) -> Option<Bytes> {
    let encoded = if body.len() <= INLINE_BYTES_MAX {
        encode_whole(coding, level, &body)
    } else {
        tokio::task::spawn_blocking(move || encode_whole(coding, level, &body)).await.ok()?
    };
    encoded.inspect_err(|error| tracing::warn!(%error, "an answer could not be compressed")).ok()
}

thread_local! {
    /// The state of a compressor is some hundred KiB: worth keeping for the next answer.
    static ZSTD: RefCell<Option<(u8, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    static DEFLATE: RefCell<Option<(u8, flate2::Compress)>> = const { RefCell::new(None) };
}

fn encode_whole(coding: Coding, level: u8, body: &[u8]) -> io::Result<Bytes> {
    match coding {
        Coding::Identity => Ok(Bytes::copy_from_slice(body)),
        Coding::Gzip => DEFLATE.with_borrow_mut(|kept| {
            let (_, deflate) = match kept {
                Some(kept) if kept.0 == level => kept,
                kept => kept.insert((level, flate2::Compress::new(flate2::Compression::new(level.into()), false))),
            };
            deflate.reset();
            gzip(deflate, body)
        }),
        Coding::Zstd => ZSTD.with_borrow_mut(|kept| {
            let (_, zstd) = match kept {
                Some(kept) if kept.0 == level => kept,
                kept => kept.insert((level, zstd::bulk::Compressor::new(level.into())?)),
            };
            zstd.compress(body).map(Bytes::from)
        }),
    }
}

/// One gzip member (RFC 1952) around what a compressor that is kept gives.
fn gzip(deflate: &mut flate2::Compress, body: &[u8]) -> io::Result<Bytes> {
    // Deflate, no flags, no time, unknown system.
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut out = Vec::with_capacity(HEADER.len() + body.len() / 3 + 64);
    out.extend_from_slice(&HEADER);
    loop {
        let done = usize::try_from(deflate.total_in()).map_err(io::Error::other)?;
        let status = deflate.compress_vec(&body[done..], &mut out, flate2::FlushCompress::Finish)?;
        if status == flate2::Status::StreamEnd {
            break;
        }
        out.reserve(out.capacity().max(4096) / 2);
    }
    let mut crc = flate2::Crc::new();
    crc.update(body);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(Bytes::from(out))
}

/// Encodes an answer that is sent in pieces.
pub(crate) enum Encoder {
    /// As it is.
    Identity,
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Encoder {
    /// An encoder of one answer.
    pub(crate) fn new(coding: Coding, level: u8) -> io::Result<Encoder> {
        Ok(match coding {
            Coding::Identity => Encoder::Identity,
            Coding::Gzip => Encoder::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::new(level.into())))),
            Coding::Zstd => Encoder::Zstd(Box::new(zstd::stream::write::Encoder::new(Vec::new(), level.into())?)),
        })
    }

    /// Takes more, and gives what can be sent of all so far; nothing if the encoder waits for more, unless it is told to
    /// give all of it.
    pub(crate) fn push(&mut self, more: &[u8], all: bool) -> io::Result<Bytes> {
        Ok(Bytes::from(match self {
            Encoder::Identity => more.to_vec(),
            Encoder::Gzip(encoder) => {
                encoder.write_all(more)?;
                if all {
                    encoder.flush()?;
                }
                std::mem::take(encoder.get_mut())
            }
            Encoder::Zstd(encoder) => {
                encoder.write_all(more)?;
                if all {
                    encoder.flush()?;
                }
                std::mem::take(encoder.get_mut())
            }
        }))
    }

    /// Takes the last of it, and gives what is left to send.
    pub(crate) fn finish(self, more: &[u8]) -> io::Result<Bytes> {
        Ok(Bytes::from(match self {
            Encoder::Identity => more.to_vec(),
            Encoder::Gzip(mut encoder) => {
                encoder.write_all(more)?;
                encoder.finish()?
            }
            Encoder::Zstd(mut encoder) => {
                encoder.write_all(more)?;
                encoder.finish()?
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_coding_that_is_liked_best_wins() {
        for (accept, expected) in [
            ("gzip", Coding::Gzip),
            ("zstd", Coding::Zstd),
            ("gzip, deflate, br, zstd", Coding::Zstd),
            ("gzip, deflate, br", Coding::Gzip),
            ("gzip;q=1.0, zstd;q=0.5", Coding::Gzip),
            ("zstd;q=0, gzip", Coding::Gzip),
            ("zstd;q=0, gzip;q=0", Coding::Identity),
            ("*", Coding::Zstd),
            ("*;q=0.1, zstd;q=0", Coding::Gzip),
            ("identity", Coding::Identity),
            ("identity;q=1, gzip;q=0.5", Coding::Identity),
            ("GZIP ; q=0.3", Coding::Gzip),
            ("gzip;q=nonsense", Coding::Identity),
            ("br", Coding::Identity),
            ("", Coding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(Coding::negotiate(&Compression::default(), &headers), expected, "{accept}");
            let off = Compression { is_on: false, ..Compression::default() };
            assert_eq!(Coding::negotiate(&off, &headers), Coding::Identity);
        }
        assert_eq!(Coding::negotiate(&Compression::default(), &HeaderMap::new()), Coding::Identity);
    }

    fn unpack(coding: Coding, packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Identity => out.extend_from_slice(packed),
            Coding::Gzip => drop(flate2::read::GzDecoder::new(packed).read_to_end(&mut out).unwrap()),
            Coding::Zstd => out = zstd::stream::decode_all(packed).unwrap(),
        }
        out
    }

    #[test]
    fn a_tag_names_the_coding() {
        for (tag, expected) in [("\"a\"", "\"a-gzip\""), ("W/\"a\"", "W/\"a-gzip\"")] {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, HeaderValue::from_static(tag));
            mark(&mut headers, Coding::Identity);
            assert_eq!(headers[ETAG], tag);
            mark(&mut headers, Coding::Gzip);
            assert_eq!(
                (&headers[ETAG], &headers[CONTENT_ENCODING]),
                (&HeaderValue::from_static(expected), &HeaderValue::from_static("gzip"))
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked_to_the_same(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..6),
            level in 1u8..=9,
        ) {
            let whole = pieces.concat();
            for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
                // Twice, as the state is kept.
                for _ in 0..2 {
                    let packed = encode_whole(coding, level, &whole).unwrap();
                    prop_assert_eq!(&unpack(coding, &packed), &whole);
                }
                let mut encoder = Encoder::new(coding, level).unwrap();
                let mut sent = Vec::new();
                for (at, piece) in pieces.iter().enumerate() {
                    let chunk = encoder.push(piece, at == 0).unwrap();
                    prop_assert!(at > 0 || piece.is_empty() || !chunk.is_empty());
                    sent.extend_from_slice(&chunk);
                }
                sent.extend_from_slice(&encoder.finish(b"end").unwrap());
                prop_assert_eq!(unpack(coding, &sent), [&whole[..], b"end"].concat());
            }
        }
    }
}
