#![no_main]
//! `Prefer` and `Range`: first line the one, the rest the other.

use libfuzzer_sys::fuzz_target;
use mainstay_query::parse;

fuzz_target!(|text: &str| {
    let (prefer, range) = text.split_once('\n').unwrap_or((text, text));
    let once = parse::prefer([prefer]);
    // What is read does not depend on how the list is spread over headers.
    assert_eq!(format!("{once:?}"), format!("{:?}", parse::prefer(prefer.split(','))));
    let _ = parse::range(range);
});
