#![no_main]
//! Bodies: the first byte picks the table, the form and the action, the rest is the body.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mainstay_fuzz::{Counting, SCHEMA};
use mainstay_query::Limits;
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{self, print};
use mainstay_query::request::{Action, Body, Resolution, WriteRequest};

const TABLES: [&str; 4] = ["films", "roles", "halls", "shows"];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, text) = input;
    let limits = Limits { write_rows_max: 50, ..Limits::default() };
    let text = Bytes::copy_from_slice(text);
    let is_update = choice & 8 != 0;
    let body = match (choice >> 4 & 3, choice & 4) {
        (1, _) if is_update => Body::Operations(text),
        (2, _) if is_update => Body::MergePatch(text),
        (3, _) if is_update => Body::JsonPatch(text),
        (_, 0) => Body::Json(text),
        _ => Body::Csv(text),
    };
    let (purpose, query, action) = match is_update {
        false => {
            let resolution =
                [None, Some(Resolution::Merge), Some(Resolution::Ignore), None][usize::from(choice >> 4 & 3)];
            (Purpose::Insert, "", Action::Insert { body, resolution, missing_default: choice & 64 != 0 })
        }
        true => (Purpose::Update, "number=eq.1&id=eq.1", Action::Update { body, missing_default: choice & 64 != 0 }),
    };
    let table = TABLES[usize::from(choice & 3)].to_owned();
    let query = parse::query(purpose, query, &limits).expect("the query is a constant");
    let request =
        WriteRequest { table, action, query, representation: true, affected_max: None, singular: false, keys: true };
    if let Ok(planned) = plan::write(&SCHEMA, &limits, &Counting::default(), &request) {
        assert!(!print::write(&SCHEMA, &planned).is_empty());
    }
});
