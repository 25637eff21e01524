#![no_main]
//! `table?query` of a read, an update and a delete: whatever it says, it becomes a plan or an error.

use libfuzzer_sys::fuzz_target;
use mainstay_fuzz::{Counting, SCHEMA};
use mainstay_query::Limits;
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{self, print};
use mainstay_query::request::{Action, Count, ReadRequest, WriteRequest};

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let (table, query) = text.split_once('?').unwrap_or(("films", text));
    if let Ok(query) = parse::query(Purpose::Read, query, &limits) {
        let request = ReadRequest { table: table.to_owned(), query, count: Count::Exact, unpaged: false };
        let planned = plan::read(&SCHEMA, &limits, &request);
        assert_eq!(planned.is_ok(), plan::read(&SCHEMA, &limits, &request).is_ok(), "planning decides the same twice");
        if let Ok(planned) = planned {
            // Printing resolves every id of the plan again.
            assert!(!print::read(&SCHEMA, &planned).is_empty());
        }
    }
    if let Ok(query) = parse::query(Purpose::Delete, query, &limits) {
        let request = WriteRequest {
            table: table.to_owned(),
            action: Action::Delete,
            query,
            representation: true,
            affected_max: None,
            singular: false,
            keys: false,
        };
        if let Ok(planned) = plan::write(&SCHEMA, &limits, &Counting::default(), &request) {
            assert!(!print::write(&SCHEMA, &planned).is_empty());
        }
    }
});
