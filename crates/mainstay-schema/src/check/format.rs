//! What each text format accepts. Plain functions on text; called by the checks only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::types::Format;

/// Longest host name, in bytes (RFC 1035, 2.3.4).
const HOSTNAME_BYTES_MAX: usize = 253;
/// Longest label of a host name, in bytes (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Longest address, from the longest path of RFC 5321, 4.5.3.1.3, without its brackets.
const EMAIL_BYTES_MAX: usize = 254;

/// Whether `text` has this format.
pub(super) fn is_valid(format: Format, text: &str) -> bool {
    match format {
        Format::Email => is_email(text),
        Format::Url => is_url(text),
        Format::Slug => is_slug(text),
        Format::Phone => is_phone(text),
        Format::Hostname => is_hostname(text),
        Format::Ip => text.parse::<IpAddr>().is_ok(),
        Format::Html => true,
    }
}

/// What a text of this format is, with its article, as messages say it.
pub(super) fn described(format: Format) -> &'static str {
    match format {
        Format::Email => "an email address",
        Format::Url => "an absolute http or https URL",
        Format::Slug => "a slug: lower-case letters, digits and single hyphens",
        Format::Phone => "a phone number: + and 8 to 15 digits",
        Format::Hostname => "a host name",
        Format::Ip => "an IPv4 or IPv6 address",
        Format::Html => "rich text",
    }
}

fn is_email(text: &str) -> bool {
    // Without quoting no `@` can stand in the local part, so the first one divides.
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atom_byte);
    text.len() <= EMAIL_BYTES_MAX
        && local.len() <= LOCAL_BYTES_MAX
        && local.split('.').all(is_atom)
        && is_hostname(domain)
}

/// `atext` of RFC 5322, 3.2.3.
fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits only would be an IPv4 address or a typing error of one (RFC 1123, 2.1).
    let last_is_name = text.rsplit('.').next().is_some_and(|label| !label.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= HOSTNAME_BYTES_MAX && text.split('.').all(is_label) && last_is_name
}

fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(is_word)
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    })
}

/// RFC 3986 with letters beyond ASCII in path, query and fragment, as browsers show them.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return false;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (before, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    is_authority(authority) && is_url_text(before) && is_url_text(fragment)
}

fn is_authority(text: &str) -> bool {
    let (user, place) = text.rsplit_once('@').unwrap_or(("", text));
    let is_user = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte))
        && has_whole_escapes(user);
    let end = if place.starts_with('[') { place.find(']').map(|at| at + 1) } else { place.find(':') };
    let (host, port) = place.split_at(end.unwrap_or(place.len()));
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_user && is_host(host) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_host(text: &str) -> bool {
    let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_hostname(text) || text.parse::<Ipv4Addr>().is_ok(),
    }
}

fn is_url_text(text: &str) -> bool {
    let is_allowed = |c: char| match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%[]|".contains(c),
        c => !c.is_control() && !c.is_whitespace(),
    };
    text.chars().all(is_allowed) && has_whole_escapes(text)
}

/// Whether every `%` starts an escape of two hex digits.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|part| part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
}
