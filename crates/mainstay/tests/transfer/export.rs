//! Exports, and that an import of one gives the same rows again.

use proptest::prelude::*;

use crate::support::{SHOP, World, request};

const EVERYTHING: &str = r#"
[things.fields]
id    = { type = "bigint", primary = true }
yes   = { type = "bool", optional = true }
small = { type = "int", optional = true }
real  = { type = "float", optional = true }
exact = { type = "decimal(20,4)", optional = true }
words = { type = "text", optional = true }
name  = "text"
key   = { type = "uuid", optional = true }
raw   = { type = "bytes", optional = true }
day   = { type = "date", optional = true }
hour  = { type = "time", optional = true }
at    = { type = "timestamp", optional = true }
any   = { type = "json", optional = true }
list  = { type = "text[]", optional = true }
"#;

#[tokio::test]
async fn related_rows_are_nested_in_json_and_refused_in_csv() {
    let world = World::new(SHOP);
    let items = world.file("items.csv", "id,title,price\n1,\"a \"\"b\"\"\",2\n2,c,3\n");
    world.import(&request("items", &items)).await.unwrap();
    let sales = world.file("sales.csv", "id,item,count\n1,1,5\n2,1,6\n");
    world.import(&request("sales", &sales)).await.unwrap();
    let query = "select=title,sales(count,items(price))&order=id&sales.order=id";
    world.export("items", query, "out.ndjson").await.unwrap();
    let read = |name: &str| std::fs::read_to_string(world.folder.path().join(name)).unwrap();
    let expected = [
        r#"{"title":"a \"b\"","sales":[{"count":5,"items":{"price":2.00}},{"count":6,"items":{"price":2.00}}]}"#,
        r#"{"title":"c","sales":[]}"#,
    ];
    assert_eq!(read("out.ndjson"), format!("{}\n{}\n", expected[0], expected[1]));
    world.export("items", query, "out.json").await.unwrap();
    assert_eq!(read("out.json"), format!("[\n{},\n{}\n]\n", expected[0], expected[1]));
    let error = world.export("items", query, "out.csv").await.unwrap_err().to_string();
    assert!(error.contains("a CSV file cannot hold the related rows \"sales\""), "{error}");
    assert!(!world.folder.path().join("out.csv").exists());
}

#[tokio::test]
async fn an_export_keeps_the_file_that_is_there() {
    use mainstay::transfer::{ExportRequest, Target, export};
    let world = World::new(SHOP);
    let path = world.file("out.csv", "precious");
    let target = Target::File { path: path.clone(), replace: false };
    let request = ExportRequest { table: "items".to_owned(), format: None, query: String::new(), target };
    let error = export(&*world.store, &world.schema, &request).await.unwrap_err().to_string();
    assert!(error.contains("give --force"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let left: Vec<_> = std::fs::read_dir(world.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing else is left behind");
}

fn text() -> impl Strategy<Value = Option<String>> {
    let sly =
        prop::sample::select(vec!["", "NULL", "null", "\"", ",", "a\r\nb", "\n", " x ", "\u{feff}x", "[1]", "{}"]);
    proptest::option::of(prop_oneof![sly.prop_map(str::to_owned), "[a-z\",\r\n\\\\ é日]{0,8}"])
}

fn record(id: i64) -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    let numbers = (any::<Option<bool>>(), any::<Option<i32>>(), any::<Option<i32>>(), any::<Option<i64>>());
    let texts = (text(), text(), proptest::option::of(proptest::collection::vec(text(), 0..3)));
    let rest = (any::<Option<[u8; 3]>>(), any::<Option<u128>>(), 0..86_400_u32, any::<Option<bool>>());
    (numbers, texts, rest).prop_map(move |((yes, small, real, exact), (words, name, list), (raw, key, time, json))| {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let clock = format!("{hour:02}:{minute:02}:{second:02}.{:06}", time * 7 % 1_000_000);
        let day = format!("20{:02}-0{}-1{}", time % 100, 1 + time % 9, time % 10);
        json!({
            "id": id, "yes": yes, "small": small, "real": real.map(|real| f64::from(real) / 7.0),
            "exact": exact.map(|exact| format!("{}.{:04}", exact / 10_000_000, exact.unsigned_abs() % 10_000)),
            "words": words, "name": name.unwrap_or_default(), "list": list,
            "raw": raw.map(|[a, b, c]| format!("\\x{a:02x}{b:02x}{c:02x}")),
            "key": key.map(|key| uuid::Uuid::from_u128(key).to_string()),
            "day": day, "hour": clock, "at": format!("{day}T{clock}Z"),
            "any": json.map(|json| if json { json!({"a": [1, "x\n,\""]}) } else { json!("text") }),
        })
    })
}

fn records() -> impl Strategy<Value = Vec<serde_json::Value>> {
    (0..6_i64).prop_flat_map(|count| (0..count).map(record).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_import_of_an_export_gives_the_same_rows(records in records()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let first = World::new(EVERYTHING);
            let source = first.file("things.json", &serde_json::to_string(&records).unwrap());
            let done = first.import(&request("things", &source)).await.unwrap();
            prop_assert_eq!((done.rows, done.bad), (records.len() as u64, 0), "{:?}", done.first_bad);
            let rows = first.rows("things", "order=id").await;
            for form in ["csv", "csv.gz", "ndjson", "json.gz"] {
                let name = format!("out.{form}");
                first.export("things", "", &name).await.unwrap();
                let second = World::new(EVERYTHING);
                let done = second.import(&request("things", &first.folder.path().join(&name))).await.unwrap();
                prop_assert_eq!(done.bad, 0, "{}: {:?}", form, done.first_bad);
                prop_assert_eq!(&second.rows("things", "order=id").await, &rows, "{}", form);
            }
            Ok(())
        })?;
    }
}
