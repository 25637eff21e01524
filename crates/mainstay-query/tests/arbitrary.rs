//! Whatever is asked of a schema is planned or refused, and what is planned keeps the promises of a plan.

#![expect(clippy::unwrap_used, reason = "a test may fail at once")]

use bytes::Bytes;
use mainstay_query::limits::Limits;
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{self, Expr, Filter, Fresh, Read, Source, Write, print};
use mainstay_query::request::{
    Action, Arguments, Body, CallRequest, Count, RawKind, ReadRequest, Resolution, WriteRequest,
};
use mainstay_schema::load::{NoProbe, SourceFile, load, load_functions};
use mainstay_schema::{Schema, TableId};
use proptest::prelude::*;

fn schema() -> Schema {
    let text = include_str!("cases/schema.toml").to_owned();
    load(&[SourceFile { path: "schema.toml".into(), text }]).unwrap()
}

struct Standing;

impl Fresh for Standing {
    fn now(&self) -> &str {
        "2026-11-23T10:00:00+00:00"
    }

    fn uuid7(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }
}

/// What a plan promises: columns that exist, members of different names, pages with an end, links to visible tables.
fn check_read(schema: &Schema, limits: &Limits, read: &Read, is_page: bool) {
    let table = schema.table(read.table);
    assert!(!table.internal);
    if is_page {
        assert!(read.limit.is_some_and(|limit| limit <= limits.page_rows_max));
        let is_ordered = |id| read.order.iter().any(|term| term.expr.as_column() == Some(id));
        assert!(table.primary_key.iter().all(|id| is_ordered(*id)) || !read.order.is_empty());
    }
    check_filter(schema, read.table, &read.filter);
    for (position, output) in read.select.iter().enumerate() {
        assert!(read.select[..position].iter().all(|other| other.name != output.name));
        match &output.source {
            Source::Value(expr) => assert!(expr.column.index() < table.columns.len()),
            Source::Aggregate(aggregate) => {
                let input = aggregate.input.as_ref();
                assert!(input.is_none_or(|input| input.column.index() < table.columns.len()));
            }
            Source::Embed(embed) | Source::Spread(embed) => check_read(schema, limits, &embed.read, false),
        }
    }
}

fn check_filter(schema: &Schema, table: TableId, filter: &Filter) {
    match filter {
        Filter::True | Filter::False | Filter::Unknown => {}
        Filter::And(parts) | Filter::Or(parts) => {
            assert!(parts.len() > 1);
            parts.iter().for_each(|part| check_filter(schema, table, part));
        }
        Filter::Not(part) => check_filter(schema, table, part),
        Filter::Test { expr, .. } => assert!(expr.column.index() < schema.table(table).columns.len()),
        Filter::Search(search) => {
            let index = &schema.table(table).fulltexts[search.index];
            assert!(search.columns.iter().all(|column| index.columns.contains(column)));
        }
        Filter::Columns { left, right, .. } => {
            let is_there = |expr: &Expr| expr.column.index() < schema.table(table).columns.len();
            assert!(is_there(left) && is_there(right));
        }
        Filter::Exists { table, filter, .. } => {
            assert!(!schema.table(*table).internal);
            check_filter(schema, *table, filter);
        }
    }
}

/// Queries on `films`, most of which make sense: an embed that is filtered may not be selected.
fn query() -> impl Strategy<Value = String> {
    let items = vec![
        "*",
        "id",
        "n:title::text",
        "rating::float",
        "data->a->>b",
        "tags->0",
        "roles!inner(role,actors(name))",
        "cast:actors!roles(*)",
        "director_id(last_name,films!editor_id(id))",
        "details()",
        "shows(id,halls!inner(seats))",
    ];
    let conditions = vec![
        "id=eq.1",
        "title=not.like.a*",
        "rating=lt.7.555",
        "released=is.true",
        "seen_at=gte.2026-01-01",
        "code=in.(a,b)",
        "tags=cs.{a}",
        "data->a=eq.1",
        "gross=eq(any).{1,2}",
        "gross=gt(all).{1,2}",
        "gross=not.lt(any).{1,null}",
        "title=imatch(any).{^a,b+}",
        "title=match.(",
        "title=wfts.a -\"b c\" or d",
        "plots=not.fts(english).a:* & !(b <2> c)",
        "or=(title.phfts.a,code.plfts.b)",
        "gross=gt(col).rating",
        "title=isdistinct(col).data->>a",
        "id=eq(col).title",
        "rating->a=is.null",
        "or=(title.like(any).{a*,\"b,c\"},data->a.eq(col).data->b)",
        "director_id=is.null",
        "or=(id.eq.1,not.and(title.eq.a,uid.is.null))",
        "not.and=(id.gt.1,id.lt.9)",
        "roles=not.is.null",
        "or=(details.is.null,cast.is.null)",
        "roles.role=eq.x",
        "roles.actors.name=ilike.*a*",
        "cast.limit=3",
        "shows.halls.seats=gt.1",
        "director_id.films.order=title.desc",
        "order=rating.desc,data->a",
        "limit=3",
        "offset=2",
        "order=director_id(born)",
        "details.plot=is.null",
        "shows.limit=0",
        "nope=eq.1",
    ];
    (prop::sample::subsequence(items, 1..7), prop::sample::subsequence(conditions, 0..6))
        .prop_map(|(items, conditions)| format!("select={}&{}", items.join(","), conditions.join("&")))
}

/// Bodies for `films`: rows that name the required columns and some others, and text that is none.
fn body() -> impl Strategy<Value = String> {
    let others = vec![
        ("rating", "7.5"),
        ("gross", "null"),
        ("released", "true"),
        ("tags", "[\"x\"]"),
        ("data", "{\"a\":[1]}"),
        ("id", "5"),
        ("seen_at", "\"2026-01-01\""),
        ("code", "\"b\""),
        ("gross", "1e400"),
        ("nope", "1"),
    ];
    let object = prop::sample::subsequence(others, 0..5).prop_map(|members| {
        let others: Vec<String> = members.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{\"title\":\"a\",\"code\":\"a\"{}}}", others.concat())
    });
    prop_oneof![
        4 => object.clone(),
        4 => (object, 0..4usize).prop_map(|(object, rows)| format!("[{}]", vec![object; rows].join(","))),
        1 => "\\PC{0,30}",
        1 => "[\\[\\]{},:\"0-9a ]{0,30}",
        1 => Just("title,code\na,b\nNULL,c\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reads_are_planned_or_refused(query in query()) {
        let (schema, limits) = (schema(), Limits::default());
        if let Ok(query) = parse::query(Purpose::Read, &query, &limits) {
            let request = ReadRequest { table: "films".to_owned(), query, ..ReadRequest::default() };
            if let Ok(read) = plan::read(&schema, &limits, &request) {
                check_read(&schema, &limits, &read, true);
                prop_assert!(print::read(&schema, &read).starts_with("read "));
                prop_assert_eq!(read.shape(&schema).members.len(), read.select.len());
            }
        }
    }

    #[test]
    fn writes_are_planned_or_refused(
        query in query(),
        body in body(),
        purpose in prop::sample::select([Purpose::Insert, Purpose::Replace, Purpose::Update, Purpose::Delete].to_vec()),
        resolution in prop::sample::select(vec![None, Some(Resolution::Merge), Some(Resolution::Ignore)]),
        form in 0..8_u8,
        representation in any::<bool>(),
    ) {
        let (schema, limits) = (schema(), Limits::default());
        let text = Bytes::from(body);
        let body = match form {
            0 => Body::Csv(text),
            1 => Body::Operations(text),
            2 => Body::MergePatch(text),
            3 => Body::JsonPatch(text),
            _ => Body::Json(text),
        };
        let action = match purpose {
            Purpose::Insert => Action::Insert { body, resolution, missing_default: representation },
            Purpose::Replace => Action::Replace { body },
            Purpose::Update => Action::Update { body, missing_default: true },
            _ => Action::Delete,
        };
        if let Ok(query) = parse::query(purpose, &query, &limits) {
            let request = WriteRequest {
                table: "films".to_owned(),
                action,
                query,
                representation,
                affected_max: Some(10),
                singular: false,
                keys: true,
            };
            if let Ok(write) = plan::write(&schema, &limits, &Standing, &request) {
                if let Write::Insert(insert) = &write {
                    prop_assert!(insert.rows.iter().all(|row| row.len() == insert.columns.len()));
                }
                if let Some(returning) = write.returning() {
                    check_read(&schema, &limits, returning, false);
                }
                prop_assert!(!print::write(&schema, &write).is_empty());
            }
        }
    }
}

/// Functions of each kind over the tables of the cases.
fn schema_with_functions() -> Schema {
    let file =
        |(name, text): (&str, &str)| SourceFile { path: format!("queries/{name}").into(), text: text.to_owned() };
    let files = [
        (
            "f.sql",
            "--- params.a = \"int\"\n--- params.b = { type = \"text[]\", optional = true }\n--- returns = \"films\"\nSELECT :a, :b",
        ),
        (
            "f.two.sql",
            "--- params.a = \"int\"\n--- params.c = { type = \"json\", default = 1 }\n--- returns.fields.id = { ref = \"films\" }\nSELECT :a, :c",
        ),
        ("g.sql", "--- params.x = \"json\"\n--- body = \"x\"\n--- returns = \"int\"\n--- rows = \"many\"\nSELECT :x"),
        (
            "w.sql",
            "--- writes = true\n--- params.a = { type = \"int\", default = 1 }\n--- returns = \"films\"\nDELETE :a",
        ),
    ];
    load_functions(schema(), &files.map(file), &NoProbe).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

proptest! {
    #[test]
    fn any_call_is_planned_or_refused(
        function in "[fgwx]{1,2}|\\PC{0,5}",
        text in "(([abcx]|id|select|order|limit|and)=(1|eq\\.1|\\{1,2\\}|id|\\(id\\.eq\\.1\\)|\\PC{0,4})&){0,5}",
        body in prop_oneof![
            "\\{(\"[abcx]\":(1|null|\"x\"|\\[1\\]),?){0,3}\\}",
            "\\PC{0,12}",
            "\\[1,2\\]",
        ],
        kind in 0..5,
    ) {
        let schema = schema_with_functions();
        let limits = Limits::default();
        let (query, named) = match parse::call(&text, &limits) {
            Ok(parsed) => parsed,
            Err(_) => return Ok(()),
        };
        let body = Bytes::from(body);
        let arguments = match kind {
            0 | 1 => Arguments::Named(named),
            2 => Arguments::Raw { kind: RawKind::Text, body },
            _ => Arguments::Json(body),
        };
        let (count, read_only, singular) = (Count::None, kind == 0, kind == 4);
        let request = CallRequest { function, arguments, query, count, read_only, singular, affected_max: None };
        if let Ok(call) = plan::call(&schema, &limits, &Standing, &request, &|_| true) {
            let function = schema.function(call.function);
            prop_assert_eq!(&*function.name, request.function.as_str());
            match call.work {
                plan::Work::Read(read) => {
                    prop_assert!(!function.writes && read.call.is_some() && read.limit.is_some());
                    let arguments = &read.call.as_ref().unwrap().arguments;
                    prop_assert_eq!(arguments.len(), function.parameters.len());
                    prop_assert!(print::read(&schema, &read).starts_with("call "));
                }
                plan::Work::Write(write) => {
                    prop_assert!(function.writes && !read_only);
                    prop_assert!(print::write(&schema, &write).starts_with("run w("));
                }
            }
        }
    }
}
