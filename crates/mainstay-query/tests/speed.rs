//! How fast bodies become plans. Run with `cargo test --release -p mainstay-query --test speed -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a test may fail at once")]

use std::time::Instant;

use bytes::Bytes;
use mainstay_query::limits::Limits;
use mainstay_query::plan::{self, Fresh, Write};
use mainstay_query::request::{Action, Body, Query, WriteRequest};
use mainstay_schema::load::{SourceFile, load};

struct Standing;

impl Fresh for Standing {
    fn now(&self) -> &str {
        "2026-11-23T10:00:00+00:00"
    }

    fn uuid7(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }
}

const SCHEMA: &str = r#"
[events]
primary = ["invoice", "item_id", "user_id"]
[events.fields]
ts         = "timestamp"
invoice    = { type = "text", min = 1, max = 20 }
user_id    = "int"
item_id    = "text"
quantity   = { type = "int", min = 1 }
unit_price = { type = "decimal(10,2)", min = 0 }
"#;

const ROWS: usize = 400_000;
const COLUMNS: [&str; 6] = ["ts", "invoice", "user_id", "item_id", "quantity", "unit_price"];

fn cells(row: usize) -> [String; 6] {
    let ts = format!("2026-11-23T10:{:02}:{:02}+00:00", row / 60 % 60, row % 60);
    [ts, format!("I{row}"), (row % 5000).to_string(), format!("P{}", row % 3000), "3".into(), "12.50".into()]
}

fn plan_seconds(body: Body) -> f64 {
    let schema = load(&[SourceFile { path: "events.toml".into(), text: SCHEMA.into() }]).unwrap();
    let limits = Limits { write_rows_max: usize::MAX, ..Limits::default() };
    let action = Action::Insert { body, resolution: None, missing_default: false };
    let request = WriteRequest {
        table: "events".into(),
        action,
        query: Query::default(),
        representation: false,
        affected_max: None,
        singular: false,
        keys: false,
    };
    let start = Instant::now();
    let plan = plan::write(&schema, &limits, &Standing, &request).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let Write::Insert(insert) = plan else { panic!("not an insert") };
    assert_eq!(insert.rows.len(), ROWS);
    seconds
}

#[test]
#[ignore = "a measurement, and only of a release build"]
fn imports_become_plans_at_a_million_cells_a_second() {
    let columns = COLUMNS.map(str::to_owned).to_vec();
    let rows = (0..ROWS).map(|row| cells(row).into_iter().map(Some).collect()).collect();
    let header = format!("{}\n", COLUMNS.join(","));
    let csv: String = (0..ROWS).map(|row| cells(row).join(",") + "\n").collect();
    let json: Vec<String> = (0..ROWS)
        .map(|row| {
            let members: Vec<String> =
                COLUMNS.iter().zip(cells(row)).map(|(name, cell)| format!("\"{name}\":\"{cell}\"")).collect();
            format!("{{{}}}", members.join(","))
        })
        .collect();
    let bodies = [
        ("rows", Body::Rows { columns, rows }),
        ("csv", Body::Csv(Bytes::from(header + &csv))),
        ("json", Body::Json(Bytes::from(format!("[{}]", json.join(","))))),
    ];
    for (name, body) in bodies {
        let rate = (ROWS * COLUMNS.len()) as f64 / plan_seconds(body);
        println!("{name}: {rate:.0} cells a second");
        assert!(rate > 1e6, "{name}: {rate:.0} cells a second");
    }
}
