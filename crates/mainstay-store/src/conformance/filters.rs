//! Which rows pass.

use mainstay_query::evaluate;
use mainstay_query::plan::{ColumnTest, Comparison, Expr, Filter, Join, Test};
use mainstay_schema::{TableId, Type, Value, ValueError};

use super::Open;
use super::digits::kept;
use super::kit::{Stage, show};
use super::plans::{is_in, not};
use super::tables::{TableBuilder, table, ty, typed};

/// Values of every type, smallest first where the type has an order; the suite writes, reads and compares them all.
pub(super) const SAMPLES: [(&str, &[&str]); 15] = [
    ("bool", &["false", "true"]),
    ("int", &["-2147483648", "-1", "0", "7", "2147483647"]),
    ("bigint", &["-9223372036854775808", "9007199254740992", "9007199254740993", "9223372036854775807"]),
    ("float", &["-1.5e300", "-0.1", "0", "0.30000000000000004", "5e-324", "1e21"]),
    ("decimal", &["-9999999999.99", "-0.01", "0.00", "9.99", "10.00", "9999999999.99"]),
    ("text", &["", " ", "100%", "A", "Z", "a", "a ", "a_b", "a\\b", "straße", "É", "é", "日本", "🦀"]),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "0198c0de-0000-7000-8000-000000000001"]),
    ("bytes", &["\\x", "\\x00", "\\x00ff", "\\xff"]),
    ("date", &["0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"]),
    ("time", &["00:00:00", "09:59:59.999999", "10:00:00", "10:00:00.5", "23:59:59.999999"]),
    (
        "timestamp",
        &[
            "0001-01-01T00:00:00+00:00",
            "2026-11-23T10:00:00+00:00",
            "2026-11-23T10:00:00.000001+00:00",
            "2026-11-23T10:00:00.1+00:00",
            "2026-11-23T10:00:01+00:00",
            "9999-12-31T23:59:59.999999+00:00",
        ],
    ),
    (
        "json",
        &["0", "1.0", "12345678901234567890.5", "\"a\"", "[1,2]", "[1,null]", "{\"a\":1,\"b\":[2]}", "{}", "true"],
    ),
    ("int[]", &["{}", "{1}", "{1,2}", "{2,1}", "{NULL,2}"]),
    ("text[]", &["{}", "{a}", "{A}", "{\"a,b\",\"\"}", "{\"{}\",NULL}", "{é}"]),
    ("decimal[]", &["{}", "{1.00}", "{1.50,2.00}"]),
];

fn things(ty: Type) -> [TableBuilder; 1] {
    [table("things").required("id", Type::Int).optional("v", ty).primary("id")]
}

/// Numbered rows with one value each, the last one null.
async fn with_values(open: &dyn Open, of: Type, texts: &[&str]) -> Stage {
    let stage = Stage::open(open, &things(of)).await;
    let mut insert = stage.of("things").insert("id v", &[]);
    let values = texts.iter().map(|text| typed(&stage.of("things").table.columns[1].ty, text)).chain([Value::Null]);
    insert.rows = (1..).zip(values).map(|(id, value)| vec![Some(Value::Int(id)), Some(value)]).collect();
    stage.write(insert).await;
    stage
}

async fn ids(stage: &Stage, filter: Filter) -> String {
    let found = stage.read(stage.of("things").read().select("id").filter(filter)).await;
    show(&found.rows).replace(['(', ')'], "")
}

pub(super) fn tests_of(of: &Type, operand: &Value) -> Vec<Test> {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
    let compare = |comparison| Test::Compare(comparison, operand.clone());
    let mut tests = vec![compare(Eq), compare(Neq), is_in(vec![operand.clone()]), Test::IsDistinct(operand.clone())];
    match of {
        Type::Json => tests.extend([Test::Contains(operand.clone()), Test::ContainedIn(operand.clone())]),
        Type::Array(_) => tests.extend([
            Test::Contains(operand.clone()),
            Test::ContainedIn(operand.clone()),
            Test::Overlaps(operand.clone()),
        ]),
        Type::Bool => tests.extend([Test::IsBool(true), Test::IsBool(false)]),
        Type::Text => {
            let text = operand.to_text().unwrap_or_default();
            for case_sensitive in [true, false] {
                tests.push(Test::Like { pattern: text.clone(), case_sensitive });
                let pattern =
                    evaluate::pattern(&text, case_sensitive).or_else(|_| evaluate::pattern("^.$", case_sensitive));
                tests.extend(pattern.map(|pattern| Test::Match { pattern, case_sensitive }));
            }
        }
        _ => {}
    }
    if !matches!(of, Type::Json | Type::Array(_)) {
        tests.extend([compare(Lt), compare(Lte), compare(Gt), compare(Gte)]);
    }
    tests
}

/// Every test with every sample against every sample means what `evaluate` says, also under `not`.
pub async fn every_test_on_every_type(open: &dyn Open) {
    for (name, texts) in SAMPLES {
        let of = ty(name);
        let stage = with_values(open, of.clone(), texts).await;
        let things = stage.of("things");
        let samples: Vec<Value> = texts.iter().map(|text| typed(&of, text)).chain([Value::Null]).collect();
        let values: Vec<Value> = samples.iter().map(|value| kept(value, stage.digits())).collect();
        let mut tests: Vec<Test> = vec![Test::IsNull, is_in(vec![])];
        tests.push(is_in(samples.iter().filter(|value| !value.is_null()).cloned().collect()));
        tests.extend(samples.iter().filter(|value| !value.is_null()).flat_map(|value| tests_of(&of, value)));
        for test in tests {
            for negated in [false, true] {
                let wanted = |value: &&Value| evaluate::test(value, &test) == Some(!negated);
                let expected = (1..).zip(&values).filter(|(_, value)| wanted(value)).map(|(id, _)| id.to_string());
                let expected = expected.collect::<Vec<_>>().join(" ");
                let filter = things.test("v", test.clone());
                let filter = if negated { not(filter) } else { filter };
                assert_eq!(ids(&stage, filter).await, expected, "{name}, {test:?}, negated: {negated}");
            }
        }
    }
}

/// A comparison with null is unknown, and its opposite too; a row whose filter is unknown does not pass.
pub async fn not_keeps_unknown(open: &dyn Open) {
    let stage = with_values(open, Type::Int, &["1", "2"]).await;
    let things = stage.of("things");
    for (filter, expected) in [
        (things.eq("v", "1"), "1"),
        (not(things.eq("v", "1")), "2"),
        (not(not(things.eq("v", "1"))), "1"),
        (things.compare("v", Comparison::Neq, "1"), "2"),
        (things.test("v", Test::IsDistinct(Value::Int(1))), "2 3"),
        (not(things.test("v", Test::IsDistinct(Value::Int(1)))), "1"),
        (not(things.test("v", is_in(vec![Value::Int(1)]))), "2"),
        (not(things.test("v", is_in(vec![]))), "1 2 3"),
        (not(things.test("v", Test::IsNull)), "1 2"),
        (Filter::True, "1 2 3"),
        (Filter::False, ""),
        (not(Filter::False), "1 2 3"),
    ] {
        assert_eq!(ids(&stage, filter.clone()).await, expected, "{filter:?}");
    }
}

/// `and`, `or` and `not` by the tables of three-valued logic; empty ones are true and false.
pub async fn logic_trees_have_three_values(open: &dyn Open) {
    let stage = with_values(open, Type::Int, &["1", "2", "3"]).await;
    let things = stage.of("things");
    let (one, two) = (|| things.eq("v", "1"), || things.eq("v", "2"));
    let id_four = || things.eq("id", "4");
    for (filter, expected) in [
        (Filter::Or(vec![one(), two()]), "1 2"),
        (Filter::And(vec![one(), two()]), ""),
        (Filter::Or(vec![one(), id_four()]), "1 4"),
        (not(Filter::Or(vec![one(), two()])), "3"),
        (not(Filter::And(vec![one(), Filter::False])), "1 2 3 4"),
        (not(Filter::And(vec![one(), Filter::True])), "2 3"),
        (Filter::Or(vec![not(one()), id_four()]), "2 3 4"),
        (Filter::And(vec![not(one()), not(Filter::And(vec![two(), things.eq("id", "2")]))]), "3"),
        (Filter::And(vec![]), "1 2 3 4"),
        (Filter::Or(vec![]), ""),
        (not(Filter::Or(vec![])), "1 2 3 4"),
    ] {
        assert_eq!(ids(&stage, filter.clone()).await, expected, "{filter:?}");
    }
}

/// `like` counts letter case and `ilike` folds it by Unicode; `%`, `_` and backslash are the only special characters.
pub async fn like_patterns(open: &dyn Open) {
    let texts = ["Anna", "anna", "Ännchen", "ännchen", "a%b", "a_b", "a\\b", "a\nb", "*", "[a]", "", "ΣΑΣ", "σας"];
    let stage = with_values(open, Type::Text, &texts).await;
    let things = stage.of("things");
    for (pattern, case_sensitive, expected) in [
        ("Ann%", true, "1"),
        ("ann%", false, "1 2"),
        ("änn%", true, "4"),
        ("ÄNN%", false, "3 4"),
        ("%", true, "1 2 3 4 5 6 7 8 9 10 11 12 13"),
        ("", true, "11"),
        ("a_b", true, "5 6 7 8"),
        (r"a\_b", true, "6"),
        (r"a\%b", true, "5"),
        (r"a\\b", true, "7"),
        ("*", true, "9"),
        ("[a]", true, "10"),
        ("_", true, "9"),
        ("σασ", false, "12 13"),
        ("%nn%", true, "1 2 3 4"),
        ("%N", false, "3 4"),
        ("____", true, "1 2"),
    ] {
        let filter = things.like("v", pattern, case_sensitive);
        assert_eq!(ids(&stage, filter).await, expected, "{pattern}, case sensitive: {case_sensitive}");
    }
}

/// Regular expressions are sought anywhere in the text (rest.md 3, `match` and `imatch`).
pub async fn regular_expressions(open: &dyn Open) {
    let texts = ["Anna", "hanna", "a\nb", "", "Ärger", "ärger", "10-2026", "σας"];
    let stage = with_values(open, Type::Text, &texts).await;
    let things = stage.of("things");
    for (source, case_sensitive, expected) in [
        ("ann", true, "2"),
        ("^ann", false, "1"),
        ("^a.b$", true, "3"),
        ("^b", true, ""),
        ("^$", true, "4"),
        ("^Ä", true, "5"),
        ("^Ä", false, "5 6"),
        (r"^\d+-\d{4}$", true, "7"),
        ("[[:upper:]]", true, "1"),
        ("σασ", false, "8"),
        ("a|e", true, "1 2 3 5 6"),
        ("", true, "1 2 3 4 5 6 7 8"),
    ] {
        let pattern = evaluate::pattern(source, case_sensitive).expect("a regular expression");
        let test = things.test("v", Test::Match { pattern, case_sensitive });
        assert_eq!(ids(&stage, test).await, expected, "{source}, case sensitive: {case_sensitive}");
    }
}

/// An expensive pattern over many rows: compiled once, not once a row.
pub async fn patterns_are_compiled_once(open: &dyn Open) {
    let texts: Vec<String> = (0..2000).map(|number| format!("{number:04}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let stage = with_values(open, Type::Text, &texts).await;
    // Twenty of them, so that a small cache of patterns by their text does not hide it.
    let tests = (0..20).map(|number| {
        let pattern = evaluate::pattern(&format!(r"^(\w\w){{0,3}}{number}x$"), false).expect("a regular expression");
        stage.of("things").test("v", Test::Match { pattern, case_sensitive: false })
    });
    let (filter, start) = (Filter::Or(tests.collect()), std::time::Instant::now());
    assert_eq!(ids(&stage, filter).await, "");
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

/// A comparison with null, as an element of a list, is unknown.
pub async fn unknown_passes_nowhere(open: &dyn Open) {
    let stage = with_values(open, Type::Int, &["1", "2"]).await;
    let things = stage.of("things");
    let one = || things.eq("v", "1");
    for (filter, expected) in [
        (Filter::Unknown, ""),
        (not(Filter::Unknown), ""),
        (Filter::Or(vec![one(), Filter::Unknown]), "1"),
        (Filter::And(vec![one(), Filter::Unknown]), ""),
        (not(Filter::Or(vec![one(), Filter::Unknown])), ""),
        (not(Filter::And(vec![one(), Filter::Unknown])), "2"),
    ] {
        assert_eq!(ids(&stage, filter.clone()).await, expected, "{filter:?}");
    }
}

/// Values of one row against another, of every type, also where their canonical texts differ.
pub async fn column_against_column(open: &dyn Open) {
    use ColumnTest::{Compare, IsDistinct};
    for (name, texts) in SAMPLES {
        let of = ty(name);
        let tables = [table("things")
            .required("id", Type::Int)
            .optional("a", of.clone())
            .optional("b", of.clone())
            .primary("id")];
        let stage = Stage::open(open, &tables).await;
        let things = stage.of("things");
        let values = texts.iter().map(|text| kept(&typed(&of, text), stage.digits()));
        let values: Vec<Value> = values.chain([Value::Null]).collect();
        let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (a, b)));
        let rows: Vec<Vec<Value>> =
            (1..).zip(pairs).map(|(id, (a, b))| vec![Value::Int(id), a.clone(), b.clone()]).collect();
        let mut insert = things.insert("id a b", &[]);
        insert.rows = rows.iter().map(|row| row.iter().cloned().map(Some).collect()).collect();
        stage.write(insert).await;
        let mut tests: Vec<ColumnTest> = vec![IsDistinct];
        tests.extend(
            [Comparison::Eq, Comparison::Neq, Comparison::Lt, Comparison::Lte, Comparison::Gt, Comparison::Gte]
                .map(Compare),
        );
        if of == Type::Text {
            tests.extend([true, false].map(|case_sensitive| ColumnTest::Like { case_sensitive }));
        }
        for test in tests {
            for negated in [false, true] {
                let filter = Filter::Columns { left: things.expr("a"), test, right: things.expr("b") };
                let filter = if negated { not(filter) } else { filter };
                let passes = |row: &&Vec<Value>| evaluate::filter(&NoLinks, row, &filter) == Ok(Some(true));
                let expected: Vec<String> = rows.iter().filter(passes).filter_map(|row| row[0].to_text()).collect();
                assert_eq!(ids(&stage, filter.clone()).await, expected.join(" "), "{name}, {test:?}, {negated}");
            }
        }
    }
}

/// Numbers of different types compare as numbers, a date with a timestamp as its first instant, a path as text.
pub async fn column_against_column_of_another_type(open: &dyn Open) {
    let tables = [table("things")
        .required("id", Type::Int)
        .optional("whole", Type::BigInt)
        .optional("exact", Type::Decimal { precision: 34, scale: 10 })
        .optional("near", Type::Float)
        .optional("day", Type::Date)
        .optional("at", Type::Timestamp)
        .optional("word", Type::Text)
        .optional("data", Type::Json)
        .primary("id")];
    let stage = Stage::open(open, &tables).await;
    let rows = [
        "1|9007199254740993|9007199254740993.0000000000|9007199254740992|2026-01-02|2026-01-02T00:00:00Z|x|{\"w\":\"x\",\"n\":1}",
        "2|9007199254740993|9007199254740992.5|1|2026-01-02|2026-01-01T23:59:59Z|y|{\"w\":\"x\",\"n\":2}",
        "3|-1|-1.5|-0.5|2026-01-02|2026-01-02T00:00:01Z|null|{\"w\":null}",
        "4|null|null|null|null|null|null|null",
    ];
    stage.fill("things", "id whole exact near day at word data", &rows).await;
    let things = stage.of("things");
    let exact = Type::Decimal { precision: 38, scale: 0 };
    let expr = |text: &str, cast: Option<&Type>| Expr { cast: cast.cloned(), ..things.expr(text) };
    let compare = |left, comparison, right| Filter::Columns { left, test: ColumnTest::Compare(comparison), right };
    for (filter, expected) in [
        (compare(expr("whole", Some(&exact)), Comparison::Eq, expr("exact", None)), "1"),
        (compare(expr("whole", Some(&exact)), Comparison::Gt, expr("exact", None)), "2 3"),
        (compare(expr("exact", None), Comparison::Lt, expr("whole", Some(&exact))), "2 3"),
        (compare(expr("whole", Some(&Type::Float)), Comparison::Eq, expr("near", None)), "1"),
        (compare(expr("exact", Some(&Type::Float)), Comparison::Lt, expr("near", None)), "3"),
        (compare(expr("day", Some(&Type::Timestamp)), Comparison::Eq, expr("at", None)), "1"),
        (compare(expr("day", Some(&Type::Timestamp)), Comparison::Lt, expr("at", None)), "3"),
        (compare(expr("data->>w", None), Comparison::Eq, expr("word", None)), "1"),
        (compare(expr("word", None), Comparison::Neq, expr("data->>w", None)), "2"),
        (compare(expr("data->w", None), Comparison::Eq, expr("data->w", None)), "1 2 3"),
        (not(compare(expr("day", Some(&Type::Timestamp)), Comparison::Lt, expr("at", None))), "1 2"),
    ] {
        assert_eq!(ids(&stage, filter.clone()).await, expected, "{filter:?}");
    }
}

struct NoLinks;

impl evaluate::Related for NoLinks {
    fn any(
        &self,
        _: &Join,
        _: &[Value],
        _: TableId,
        _: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        Ok(false)
    }
}

/// `->` keeps JSON and `->>` gives text; what is not there is null.
pub async fn paths_into_json(open: &dyn Open) {
    let documents = [
        r#"{"a":1,"b":{"c":[10,"x",null,true]}}"#,
        r#"{"a":"1","b":{"c":[]}}"#,
        r#"{"a":null}"#,
        "[5,6]",
        r#""a""#,
        r#"{"a":{"b":"\"\n"},"0":"zero"}"#,
    ];
    let stage = with_values(open, Type::Json, &documents).await;
    let things = stage.of("things");
    for (filter, expected) in [
        (things.eq("v->a", "1"), "1"),
        (things.eq("v->a", "\"1\""), "2"),
        (things.eq("v->>a", "1"), "1 2"),
        (things.test("v->a", Test::IsNull), "4 5 7"),
        (things.test("v->>a", Test::IsNull), "3 4 5 7"),
        (things.eq("v->b->c->0", "10"), "1"),
        (things.eq("v->b->c->>-1", "true"), "1"),
        (things.eq("v->b->c->>1", "x"), "1"),
        (things.eq("v->-1", "6"), "4"),
        (things.eq("v->0", "5"), "4"),
        (things.test("v->2", Test::IsNull), "1 2 3 4 5 6 7"),
        (things.eq("v->a->>b", "\"\n"), "6"),
        (things.like("v->>a", "_", true), "1 2"),
        (not(things.eq("v->>a", "1")), "6"),
        (things.test("v->b->c", Test::Contains(typed(&Type::Json, "[true,10]"))), "1"),
        (things.eq("v->b", r#"{"c":[]}"#), "2"),
    ] {
        assert_eq!(ids(&stage, filter.clone()).await, expected, "{filter:?}");
    }
    let stage = with_values(open, ty("text[]"), &["{a,b}", "{}", "{NULL,c}"]).await;
    let things = stage.of("things");
    assert_eq!(ids(&stage, things.eq("v->>0", "a")).await, "1", "a path goes into an array too");
    assert_eq!(ids(&stage, things.eq("v->>-1", "c")).await, "3");
    assert_eq!(ids(&stage, things.test("v->>0", Test::IsNull)).await, "2 3 4");
    let stage = with_values(open, Type::Int, &["7"]).await;
    let things = stage.of("things");
    assert_eq!(ids(&stage, things.test("v->a", Test::IsNull)).await, "1 2", "a scalar has no parts");
    assert_eq!(ids(&stage, things.eq("v->>0", "7")).await, "");
}

/// Containment as PostgreSQL's `jsonb` has it.
pub async fn json_containment(open: &dyn Open) {
    let documents = [r#"{"a":1,"b":{"c":[1,2]}}"#, "[1,2,[3]]", "1.0", r#""x""#, "[]"];
    let stage = with_values(open, Type::Json, &documents).await;
    let things = stage.of("things");
    let json = |text| typed(&Type::Json, text);
    for (test, expected) in [
        (Test::Contains(json(r#"{"b":{"c":[2]}}"#)), "1"),
        (Test::Contains(json("[2,2]")), "2"),
        (Test::Contains(json("[3]")), ""),
        (Test::Contains(json("2")), "2"),
        (Test::Contains(json("1")), "2 3"),
        (Test::Contains(json("{}")), "1"),
        (Test::ContainedIn(json("[1,2,[3,4]]")), "2 3 5"),
        (Test::ContainedIn(json(r#"["x"]"#)), "4 5"),
    ] {
        assert_eq!(ids(&stage, things.test("v", test.clone())).await, expected, "{test:?}");
    }
}

/// Parents with and without children, by a direct link, by a junction, and nested.
pub async fn related_rows_exist_or_do_not(open: &dyn Open) {
    let tables = [
        table("people")
            .required("id", Type::Int)
            .required("name", Type::Text)
            .optional("boss", Type::Int)
            .primary("id"),
        table("teams").required("id", Type::Int).required("name", Type::Text).primary("id"),
        table("members").required("person", Type::Int).required("team", Type::Int).primary("person team"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("people", "id name boss", &["1|ann|null", "2|bob|1", "3|cid|2", "4|dan|9"]).await;
    stage.fill("teams", "id name", &["1|red", "2|blue"]).await;
    stage.fill("members", "person team", &["1|1", "1|2", "2|2"]).await;
    let (people, teams) = (stage.of("people"), stage.of("teams"));
    let boss = |filter| people.exists(people.join("people", "boss=id"), "people", filter);
    let staff = |filter| people.exists(people.join("people", "id=boss"), "people", filter);
    let team = |filter| people.exists(people.through("members", "id=person", "teams", "team=id"), "teams", filter);
    for (filter, expected) in [
        (boss(Filter::True), "2 3"),
        (not(boss(Filter::True)), "1 4"),
        (boss(people.eq("name", "ann")), "2"),
        (not(boss(people.eq("name", "ann"))), "1 3 4"),
        (staff(Filter::True), "1 2"),
        (staff(staff(Filter::True)), "1"),
        (team(Filter::True), "1 2"),
        (team(teams.eq("name", "red")), "1"),
        (not(team(teams.eq("name", "red"))), "2 3 4"),
        (Filter::Or(vec![team(teams.eq("name", "red")), boss(people.eq("name", "bob"))]), "1 3"),
        (Filter::And(vec![boss(Filter::True), not(staff(Filter::True))]), "3"),
        (boss(team(teams.eq("name", "red"))), "2"),
        (boss(Filter::False), ""),
    ] {
        let found = stage.read(people.read().select("id").filter(filter.clone()).count()).await;
        assert_eq!(show(&found.rows).replace(['(', ')'], ""), expected, "{filter:?}");
        assert_eq!(found.total, Some(expected.split_whitespace().count() as u64), "counts follow links too");
    }
}

/// No number passes through a double.
pub async fn exact_numbers(open: &dyn Open) {
    let stage = with_values(open, Type::BigInt, &["9007199254740992", "9007199254740993"]).await;
    let things = stage.of("things");
    assert_eq!(ids(&stage, things.eq("v", "9007199254740993")).await, "2");
    assert_eq!(ids(&stage, things.compare("v", Comparison::Lt, "9007199254740993")).await, "1");
    let precision = stage.store.capabilities().decimal_digits;
    let scale = precision - 28;
    let last = format!("1234567890123456789012345678.{}1", "0".repeat(usize::from(scale) - 1));
    let texts = ["9.5", "10.25", "-3", &last, "1234567890123456789012345678"];
    let stage = with_values(open, Type::Decimal { precision, scale }, &texts).await;
    let things = stage.of("things");
    assert_eq!(ids(&stage, things.compare("v", Comparison::Gt, "9.9")).await, "2 4 5");
    assert_eq!(ids(&stage, things.compare("v", Comparison::Lt, "0")).await, "3");
    assert_eq!(ids(&stage, things.compare("v", Comparison::Gt, "1234567890123456789012345678")).await, "4");
    assert_eq!(ids(&stage, things.eq("v", "9.50")).await, "1");
}

/// No collation: case, accents, blanks and normal forms all count, and order is that of code points.
pub async fn text_is_compared_by_code_point(open: &dyn Open) {
    let stage = with_values(open, Type::Text, &["a", "A", "a ", "é", "e\u{301}", "z", "Z", "\u{ffff}", "🦀"]).await;
    let things = stage.of("things");
    for (text, expected) in [("a", "1"), ("A", "2"), ("a ", "3"), ("é", "4"), ("e\u{301}", "5")] {
        assert_eq!(ids(&stage, things.eq("v", text)).await, expected, "{text}");
    }
    assert_eq!(ids(&stage, things.compare("v", Comparison::Lt, "a")).await, "2 7");
    assert_eq!(ids(&stage, things.compare("v", Comparison::Gt, "\u{ffff}")).await, "9");
    let sorted = stage.read(things.read().select("id").order("v")).await;
    assert_eq!(show(&sorted.rows), "(2) (7) (1) (3) (5) (6) (4) (8) (9) (10)");
}

/// `in` takes an empty list and thousands of values.
pub async fn lists_of_any_length(open: &dyn Open) {
    let stage = with_values(open, Type::Int, &["5", "50", "5000", "50000"]).await;
    let things = stage.of("things");
    let up_to = |most| is_in((0..most).map(Value::Int).collect());
    for (most, expected) in [(0, ""), (6, "1"), (100, "1 2"), (10_000, "1 2 3")] {
        assert_eq!(ids(&stage, things.test("v", up_to(most))).await, expected, "{most} values");
    }
}
