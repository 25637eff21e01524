#![no_main]
//! Bodies as NDJSON, XML and forms: the first byte picks the table and the form, the rest is the body. And the names of
//! elements, which must come back as they were.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mainstay_fuzz::{Counting, SCHEMA};
use mainstay_query::parse::form::form;
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{self, print};
use mainstay_query::request::{Action, Body, WriteRequest};
use mainstay_query::xml::{column_name, element_name};
use mainstay_query::Limits;

const TABLES: [&str; 4] = ["films", "roles", "halls", "shows"];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, text) = input;
    if let Ok(text) = std::str::from_utf8(text) {
        assert_eq!(column_name(&element_name(text)).as_deref(), Some(text));
        if let Some(name) = column_name(text) {
            assert_eq!(element_name(&name), text);
        }
    }
    let limits = Limits { write_rows_max: 50, ..Limits::default() };
    let body = match choice >> 2 & 3 {
        0 => Body::Ndjson(Bytes::copy_from_slice(text)),
        1 => {
            let Ok(pairs) = form(text) else { return };
            let (columns, row) = pairs.into_iter().map(|(name, value)| (name, Some(value))).unzip();
            Body::Rows { columns, rows: vec![row] }
        }
        _ => Body::Xml(Bytes::copy_from_slice(text)),
    };
    let action = Action::Insert { body, resolution: None, missing_default: choice & 64 != 0 };
    let table = TABLES[usize::from(choice & 3)].to_owned();
    let query = parse::query(Purpose::Insert, "", &limits).expect("the query is a constant");
    let request =
        WriteRequest { table, action, query, representation: true, affected_max: None, singular: false, keys: true };
    if let Ok(planned) = plan::write(&SCHEMA, &limits, &Counting::default(), &request) {
        assert!(!print::write(&SCHEMA, &planned).is_empty());
    }
});
