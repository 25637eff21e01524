//! What parses to what, and what does not parse where.

use proptest::prelude::*;

use super::*;
use crate::request::{Function, IsWord, Item, Operation, Operator, OrderTerm, Quantifier, SearchSyntax, Step, StepTo};

fn read(text: &str) -> Result<Query, ParseError> {
    query(Purpose::Read, text, &Limits::default())
}

fn parsed(text: &str) -> Query {
    read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn field(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

fn binary(operator: Operator, value: &str) -> Operation {
    Operation::Binary { operator, quantifier: None, value: value.to_owned() }
}

fn eq(name: &str, value: &str) -> Condition {
    Condition::Test(field(name), binary(Operator::Eq, value))
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// The single filter of a query, with its path joined by dots.
fn check_filter(text: &str, path: &str, expected: Condition) {
    let query = parsed(text);
    assert_eq!(query.filters.len(), 1, "{text}");
    assert_eq!(query.filters[0].path.join("."), path, "{text}");
    assert_eq!(query.filters[0].what, expected, "{text}");
}

/// Part, column and details of the error that `text` gives.
fn check_error(text: &str, expected: (&str, usize, &str)) {
    match read(text) {
        Err(ParseError::Syntax { what, column, details, .. }) => {
            assert_eq!((what, column), (expected.0, expected.1), "{text}: {details}");
            assert!(details.contains(expected.2), "{text}: {details}");
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn plain_filters_are_not_unquoted() {
    check_filter("a=eq.\"b\"", "", eq("a", "\"b\""));
    check_filter("a=eq.", "", eq("a", ""));
    check_filter("a=eq.x,y)", "", eq("a", "x,y)"));
    check_filter("a=eq.1%2B1+%E2%82%AC", "", eq("a", "1+1 €"));
    check_filter("a=not.eq.1", "", not(eq("a", "1")));
    check_filter("a=eq.not.eq.1", "", eq("a", "not.eq.1"));
    check_filter("a=eq.100%", "", eq("a", "100%"));
}

#[test]
fn every_operator_word_is_read() {
    for (word, operator) in [
        ("eq", Operator::Eq),
        ("neq", Operator::Neq),
        ("gt", Operator::Gt),
        ("gte", Operator::Gte),
        ("lt", Operator::Lt),
        ("lte", Operator::Lte),
        ("like", Operator::Like),
        ("ilike", Operator::Ilike),
        ("match", Operator::Match),
        ("imatch", Operator::Imatch),
        ("isdistinct", Operator::IsDistinct),
        ("cs", Operator::Contains),
        ("cd", Operator::ContainedIn),
        ("ov", Operator::Overlaps),
    ] {
        check_filter(&format!("a={word}.v"), "", Condition::Test(field("a"), binary(operator, "v")));
    }
    for (text, word) in [
        ("null", IsWord::Null),
        ("NOT_NULL", IsWord::NotNull),
        ("True", IsWord::True),
        ("false", IsWord::False),
        ("unknown", IsWord::Unknown),
    ] {
        check_filter(&format!("a=is.{text}"), "", Condition::Test(field("a"), Operation::Is(word)));
    }
}

#[test]
fn quantifiers_stand_on_the_operators_that_have_them() {
    let expected =
        Operation::Binary { operator: Operator::Like, quantifier: Some(Quantifier::All), value: "{a*,*b}".to_owned() };
    check_filter("a=like(all).{a*,*b}", "", Condition::Test(field("a"), expected));
    check_error("a=neq(any).{1}", ("filter", 1, "operator"));
    check_error("a=eq(some).{1}", ("filter", 1, "operator"));
    check_error("a=cs(any).{1}", ("filter", 1, "operator"));
}

/// rest.md 3 and 4: what clients send unquoted, and what they must quote.
#[test]
fn brace_literals_in_trees_end_at_their_brace() {
    let list = |operator, value: &str| {
        let quantifier = Some(Quantifier::Any);
        Condition::Test(field("a"), Operation::Binary { operator, quantifier, value: value.to_owned() })
    };
    for (text, value) in [
        ("{a*,b*}", "{a*,b*}"),
        (r#"{"a,b","c)"}"#, r#"{"a,b","c)"}"#),
        (r#"{"a}b",c}"#, r#"{"a}b",c}"#),
        (r#"{"a\"}",c}"#, r#"{"a\"}",c}"#),
        (r"{a\},b}", r"{a\},b}"),
        (r#""{a,\"b,c\"}""#, r#"{a,"b,c"}"#),
        ("{}", "{}"),
    ] {
        let text =
            form_urlencoded::byte_serialize(format!("(a.like(any).{text},b.eq.1)").as_bytes()).collect::<String>();
        check_filter(&format!("or={text}"), "", Condition::Or(vec![list(Operator::Like, value), eq("b", "1")]));
    }
    // Braces inside braces are no literal, so the value ends at the comma.
    check_error("or=(a.eq.{{1,2},b.eq.1)", ("logic tree", 12, "\".\""));
}

#[test]
fn an_operator_takes_another_column() {
    let column = |operator, text: &str| {
        let parsed = parsed(&format!("{text}=eq.1")).filters.remove(0).what;
        let Condition::Test(field, _) = parsed else { panic!("{text}") };
        Operation::Column { operator, field }
    };
    check_filter("a=gt(col).b", "", Condition::Test(field("a"), column(Operator::Gt, "b")));
    check_filter("a=not.isdistinct(col).b", "", not(Condition::Test(field("a"), column(Operator::IsDistinct, "b"))));
    check_filter("x.a=like(col).%22b.c%22", "x", Condition::Test(field("a"), column(Operator::Like, "%22b.c%22")));
    check_filter("a=lte(col).b->c->>0", "", Condition::Test(field("a"), column(Operator::Lte, "b->c->>0")));
    check_filter(
        "or=(a.neq(col).b->>c,d->0.ilike(col).e)",
        "",
        Condition::Or(vec![
            Condition::Test(field("a"), column(Operator::Neq, "b->>c")),
            Condition::Test(
                Field { name: "d".into(), path: vec![Step { to: StepTo::Index(0), as_text: false }] },
                column(Operator::Ilike, "e"),
            ),
        ]),
    );
    for text in ["a=in(col).b", "a=cs(col).b", "a=match(col).b", "a=eq(col)", "a=is(col).b"] {
        check_error(text, ("filter", 1, "operator"));
    }
    check_error("a=eq(col).", ("filter", 9, "field name"));
    check_error("a=eq(col).b.c", ("filter", 10, "end of input"));
}

/// rest.md 3.1: a number may be followed by `->`, `::`, `.`, `,` or the end.
#[test]
fn numbers_in_paths_end_where_they_may() {
    for text in ["select=a->0", "select=a->0,b", "select=a->0::text", "select=a->0->b", "a->0=eq.1", "order=a->-1.desc"]
    {
        assert!(read(text).is_ok(), "{text}");
    }
    assert!(read("or=(a->0.eq.1,a->>1.eq.2)").is_ok());
    assert!(read("select=b(a->0)").is_ok(), "the end of a list inside parentheses is an end");
    check_error("a->0x=eq.1", ("tree path", 5, "end of an array index"));
    check_error("select=a->0 b", ("select parameter", 5, "end of an array index"));
    check_error("select=a->1(b)", ("select parameter", 5, "end of an array index"));
    check_error("order=a->0-1", ("order", 5, "end of an array index"));
    check_error("select=a->0)", ("select parameter", 5, "end of input"));
}

/// rest.md 3: the four searches, with and without configuration.
#[test]
fn searches_name_their_configuration() {
    for (word, syntax) in [
        ("fts", SearchSyntax::Query),
        ("plfts", SearchSyntax::Plain),
        ("phfts", SearchSyntax::Phrase),
        ("wfts", SearchSyntax::Web),
    ] {
        let search = |language: Option<&str>, text: &str| {
            let language = language.map(str::to_owned);
            Condition::Test(field("a"), Operation::Search { syntax, language, text: text.to_owned() })
        };
        check_filter(&format!("a={word}.b%26c"), "", search(None, "b&c"));
        check_filter(&format!("a=not.{word}(english).b c"), "", not(search(Some("english"), "b c")));
        check_filter(
            &format!("or=(a.{word}(simple).%22b,c%22)"),
            "",
            Condition::Or(vec![search(Some("simple"), "b,c")]),
        );
    }
    check_error("a=fts(english)x", ("filter", 1, "operator"));
    check_error("a=fts(english.x", ("filter", 12, "\")\""));
    check_error("a=fts().x", ("filter", 5, "field name"));
}

#[test]
fn names_keys_and_paths() {
    check_filter("films.actors.name=eq.x", "films.actors", eq("name", "x"));
    check_filter("%22a.b%22.%22c(d)%22=eq.x", "a.b", eq("c(d)", "x"));
    check_filter("grüße+an-die_1$=eq.x", "", eq("grüße an-die_1$", "x"));
    check_filter("%22a%5C%22b%22=eq.x", "", eq("a\"b", "x"));
    let path = vec![
        Step { to: StepTo::Key("a-b c".into()), as_text: false },
        Step { to: StepTo::Index(-1), as_text: false },
        Step { to: StepTo::Key("x.y".into()), as_text: true },
    ];
    let data = Field { name: "data".into(), path };
    check_filter("data->a-b c->-1->>\"x.y\"=eq.1", "", Condition::Test(data.clone(), binary(Operator::Eq, "1")));
    // A quoted name is never a reserved word.
    check_filter("%22limit%22=eq.1", "", eq("limit", "1"));
    check_error("data->0a=eq.1", ("tree path", 8, "end of an array index"));
    check_error("data->=eq.1", ("tree path", 7, "JSON key"));
    check_error("data->>a->b=eq.1", ("tree path", 9, "\"->>\" gives text"));
    check_error("a(b)=eq.1", ("tree path", 2, "end of input"));
    check_error("a..b=eq.1", ("tree path", 3, "field name"));
    check_error("%22a=eq.1", ("tree path", 1, "quotation mark"));
    check_error("=eq.1", ("tree path", 1, "field name"));
}

#[test]
fn lists_take_quoted_elements_and_blanks() {
    let list = |text: &str| match &parsed(text).filters[0].what {
        Condition::Test(_, Operation::In(elements)) => elements.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(list("a=in.(1,2, 3 )"), ["1", "2", "3"]);
    assert_eq!(list(r#"a=in.("a,b" , "c)","d\"\\",)"#), ["a,b", "c)", "d\"\\", ""]);
    assert!(list("a=in.()").is_empty());
    assert!(list(r#"a=in.("")"#).is_empty());
    assert_eq!(list(r#"a=in.("","")"#), ["", ""]);
    // What clients send for (a"b), which they quote without escaping, and for a"b, which they do not quote.
    assert_eq!(list(r#"a=in.("(a"b)",a"b,x)"#), ["(a\"b)", "a\"b", "x"]);
    assert_eq!(list(r#"a=in.("a)"#), ["\"a"]);
    check_error("a=in.1,2", ("filter", 4, "\"(\""));
    check_error("a=in.(1,2", ("filter", 8, "\")\""));
    check_error("a=in.(1)2", ("filter", 7, "end of input"));
}

#[test]
fn trees_nest_and_their_values_end_at_commas() {
    check_filter(
        "or=(a.eq.1,not.and(b.eq.2, c.not.eq.3 ),d.in.(x,\"y,z\"))",
        "",
        Condition::Or(vec![
            eq("a", "1"),
            not(Condition::And(vec![eq("b", "2"), not(eq("c", "3"))])),
            Condition::Test(field("d"), Operation::In(vec!["x".into(), "y,z".into()])),
        ]),
    );
    check_filter("films.not.or=(a.eq.1)", "films", not(Condition::Or(vec![eq("a", "1")])));
    check_filter("not.and=(a.eq.1)", "", not(Condition::And(vec![eq("a", "1")])));
    check_filter(
        "and=(a.cs.{1,2},b.eq.\"x,y)\",c.eq.\"q\"r,d.eq.{},and.eq.1,not.eq.2)",
        "",
        Condition::And(vec![
            Condition::Test(field("a"), binary(Operator::Contains, "{1,2}")),
            eq("b", "x,y)"),
            eq("c", "\"q\"r"),
            eq("d", "{}"),
            eq("and", "1"),
            eq("not", "2"),
        ]),
    );
    check_filter(
        "and=(films.not.is.null)",
        "",
        Condition::And(vec![not(Condition::Test(field("films"), Operation::Is(IsWord::Null)))]),
    );
    check_error("or=()", ("logic tree", 2, "field name"));
    check_error("or=(a.eq.1", ("logic tree", 8, "\")\""));
    check_error("or=(a.eq.1)x", ("logic tree", 9, "end of input"));
    check_error("or=a.eq.1", ("logic tree", 1, "\"(\""));
    check_error("or=(a.foo.1)", ("logic tree", 4, "operator"));
    check_error("and=(a)", ("logic tree", 3, "\".\""));
}

#[test]
fn filters_say_where_they_fail() {
    check_error("id=5", ("filter", 1, "operator"));
    check_error("id=", ("filter", 1, "end of input"));
    check_error("id=not.foo.1", ("filter", 5, "operator"));
    check_error("id=not.not.eq.1", ("filter", 5, "operator"));
    check_error("id=is.nil", ("filter", 4, "null, not_null"));
    check_error("id=is.nullx", ("filter", 4, "null, not_null"));
    check_error("id=eq", ("filter", 1, "operator"));
    let message = read("id=5").unwrap_err().to_string();
    assert_eq!(message, "\"failed to parse filter (5)\" (line 1, column 1)");
}

#[test]
fn select_items() {
    assert!(parsed("select=").select.is_empty());
    assert!(parsed("order=a").select.is_empty());
    assert_eq!(parsed("select=a&select=b").select, parsed("select=a").select);
    let items = parsed("select=*, x : a->b->>0::text ,f:films!fk!inner(id,d:directors!left()),\"q r\"").select;
    let [Item::Star, Item::Field(cast), Item::Embed(films), Item::Field(last)] = &items[..] else {
        panic!("{items:?}");
    };
    assert_eq!((cast.alias.as_deref(), cast.cast.as_deref()), (Some("x"), Some("text")));
    assert_eq!(cast.field.path.len(), 2);
    assert_eq!(last.field.name, "q r");
    assert_eq!((films.alias.as_deref(), films.hint.as_deref(), films.inner), (Some("f"), Some("fk"), true));
    let inside = films.items.as_deref().unwrap();
    let Item::Embed(directors) = &inside[1] else { panic!("{inside:?}") };
    assert_eq!((directors.inner, directors.hint.as_deref(), &directors.items), (false, None, &None));
    assert_eq!(parsed("select=films!inner!fk(id)").select, parsed("select=films!fk!inner(id)").select);

    check_error("select=a,", ("select parameter", 3, "field name"));
    check_error("select=films(id", ("select parameter", 9, "\")\""));
    check_error("select=films!fk", ("select parameter", 9, "\"(\""));
    check_error("select=films!a!b(id)", ("select parameter", 9, "one hint"));
    check_error("select=films!inner!left(id)", ("select parameter", 13, "inner and left"));
    check_error("select=a.foo()", ("select parameter", 3, "sum()"));
    check_error("select=a::", ("select parameter", 4, "name of a type"));
    check_error("select=a b)c", ("select parameter", 4, "end of input"));
}

#[test]
fn order_terms() {
    let order = |text: &str| parsed(text).order.remove(0).what;
    let term =
        |name: &str, descending, nulls_first| OrderTerm { relation: None, field: field(name), descending, nulls_first };
    assert_eq!(
        order("order=a,b.desc, c.asc.nullsfirst ,d.nullslast"),
        [term("a", false, None), term("b", true, None), term("c", false, Some(true)), term("d", false, Some(false))]
    );
    let related = order("order=directors(last_name).desc");
    assert_eq!(related[0].relation.as_deref(), Some("directors"));
    assert_eq!((related[0].field.name.as_str(), related[0].descending), ("last_name", true));
    assert_eq!(parsed("films.order=a").order[0].path, ["films"]);
    assert_eq!(order("order=data->a->>b.desc")[0].field.path.len(), 2);
    check_error("order=", ("order", 1, "field name"));
    check_error("order=a.up", ("order", 3, "asc, desc"));
    check_error("order=a.nullsfirst.desc", ("order", 14, "asc, desc"));
    check_error("order=a.asc.desc", ("order", 7, "asc, desc"));
    check_error("order=a,", ("order", 3, "field name"));
}

#[test]
fn bounds_that_are_no_numbers_are_ignored_and_negative_ones_refused() {
    let query = parsed("limit=10&offset=x&films.limit=0&limit=&films.offset=99999999999999999999999");
    assert_eq!(query.limit[0], Located { path: vec![], what: 10 });
    assert_eq!(query.limit[1], Located { path: vec!["films".to_owned()], what: 0 });
    assert_eq!(query.offset[0].what, u64::MAX);
    assert_eq!((query.limit.len(), query.offset.len()), (2, 1));
    assert!(matches!(read("limit=-1"), Err(ParseError::Range { details }) if details.starts_with("Limit should be")));
    assert!(matches!(read("offset=-1"), Err(ParseError::Range { .. })));
}

#[test]
fn parameters_without_a_meaning_for_the_method_are_left_out() {
    let text = "columns=%22a%22,%22b+c%22&on_conflict=a&limit=1&offset=2&films.limit=3";
    let of = |purpose| query(purpose, text, &Limits::default()).unwrap();
    let names = Some(vec!["a".to_owned(), "b c".to_owned()]);
    assert_eq!((of(Purpose::Insert).columns, of(Purpose::Insert).on_conflict), (names.clone(), Some(vec!["a".into()])));
    assert_eq!((of(Purpose::Update).columns, of(Purpose::Update).on_conflict), (names, Some(vec!["a".into()])));
    assert_eq!((of(Purpose::Delete).columns, of(Purpose::Delete).on_conflict), (None, None));
    assert_eq!((of(Purpose::Read).columns, of(Purpose::Read).limit.len()), (None, 2));
    assert_eq!((of(Purpose::Delete).columns, of(Purpose::Delete).limit.len()), (None, 1));
    let empty = query(Purpose::Insert, "columns=", &Limits::default());
    assert!(matches!(empty, Err(ParseError::Syntax { what: "columns parameter", .. })), "{empty:?}");
}

#[test]
fn ranges_are_told_in_plain_filters_and_in_quotes() {
    let range = |operator, value: &str| {
        let operation = Operation::Binary { operator, quantifier: None, value: value.to_owned() };
        Condition::Test(Field { name: "a".to_owned(), path: vec![] }, operation)
    };
    check_filter("a=sl.[1,2)", "", range(Operator::StrictlyLeft, "[1,2)"));
    check_filter("a=adj.{[1,2),[4,5]}", "", range(Operator::Adjacent, "{[1,2),[4,5]}"));
    check_filter("or=(a.nxr.\"[1,2)\")", "", Condition::Or(vec![range(Operator::NotRight, "[1,2)")]));
    assert!(matches!(read("a=sl(any).{1}"), Err(ParseError::Syntax { .. })));
}

/// rest.md 5, 6.
#[test]
fn aggregates_spreads_and_exclusions() {
    let items =
        parsed("select=*,-a b,n:count()::text,x:a->>b::int.avg()::float,count,...films!fk!inner(id.max())").select;
    let [Item::Star, Item::Except(excluded), Item::Aggregate(count), Item::Aggregate(avg), Item::Field(_), spread] =
        items.as_slice()
    else {
        panic!("{items:?}");
    };
    assert_eq!(excluded, "a b");
    assert_eq!((count.alias.as_deref(), count.function, &count.field), (Some("n"), Function::Count, &None));
    assert_eq!((count.input_cast.as_deref(), count.cast.as_deref()), (None, Some("text")));
    assert_eq!((avg.function, avg.field.as_ref().map(|field| field.path.len())), (Function::Avg, Some(1)));
    assert_eq!((avg.input_cast.as_deref(), avg.cast.as_deref()), (Some("int"), Some("float")));
    let Item::Spread(films) = spread else { panic!("{spread:?}") };
    assert_eq!((films.hint.as_deref(), films.inner, films.alias.as_deref()), (Some("fk"), true, None));

    check_error("select=a.sum", ("select parameter", 3, "sum()"));
    check_error("select=...x:films(id)", ("select parameter", 5, "\"(\""));
    check_error("select=*,-", ("select parameter", 4, "field name"));
    check_error("select=count()x", ("select parameter", 8, "end of input"));
}

#[test]
fn groups_distinct_rows_and_places() {
    let query = parsed("having=(n.gt.1)&films.having=(n.lt.2)&distinct=true&films.distinct=false&after=abc_-&after=d");
    assert_eq!(query.having.len(), 2);
    assert_eq!(query.having[1].path, ["films"]);
    assert_eq!(query.distinct.iter().map(|part| part.what).collect::<Vec<_>>(), [true, false]);
    assert_eq!(query.after.as_deref(), Some("abc_-"));
    assert_eq!(parsed("after=").after.as_deref(), Some(""));
    // A column may be called so: a filter has an operator.
    for name in ["after", "distinct", "having"] {
        check_filter(&format!("{name}=eq.1"), "", eq(name, "1"));
    }
    check_error("having=(n.gt.1", ("logic tree", 8, "\")\""));
    for text in ["distinct=true", "having=(n.gt.1)", "after="] {
        let refused = super::query(Purpose::Delete, text, &Limits::default());
        assert!(matches!(refused, Err(ParseError::Parameter { .. })), "{text}");
    }
}

#[test]
fn text_that_is_not_utf8_or_holds_nul_is_refused() {
    for text in ["a=eq.%FF", "%C3%28=eq.1", "a=eq.%00", "select=%00"] {
        assert!(matches!(read(text), Err(ParseError::Parameter { .. })), "{text}");
    }
    assert_eq!(parsed("&&a&b"), Query::default());
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        filters_max: 2,
        list_items_max: 2,
        embed_depth_max: 2,
        embeds_max: 3,
        logic_depth_max: 2,
        items_max: 4,
        ..Limits::default()
    };
    for (within, beyond, name) in [
        ("a=eq.1&b=eq.1", "a=eq.1&or=(b.eq.1,c.eq.1)", "filters_max"),
        ("a=in.(1,2)", "a=in.(1,2,3)", "list_items_max"),
        ("select=a(b(c))", "select=a(b(c(d)))", "embed_depth_max"),
        ("select=a(b()),c()", "select=a(b()),c(),d()", "embeds_max"),
        ("or=(and(a.eq.1))", "or=(and(or(a.eq.1)))", "logic_depth_max"),
        ("select=a,b,c,d", "select=a,b,c,d,e", "items_max"),
        ("order=a,b,c,d", "order=a,b,c,d,e", "items_max"),
    ] {
        query(Purpose::Read, within, &limits).unwrap_or_else(|error| panic!("{within}: {error}"));
        match query(Purpose::Read, beyond, &limits) {
            Err(ParseError::TooMuch { limit, max, given }) => {
                assert_eq!(limit, name, "{beyond}");
                assert_eq!(given, max + 1, "{beyond}");
            }
            other => panic!("{beyond}: {other:?}"),
        }
    }
}

#[test]
fn nesting_is_refused_before_it_costs_a_stack() {
    for text in ["select=".to_owned() + &"a(".repeat(200_000), "or=".to_owned() + &"(and".repeat(200_000)] {
        assert!(matches!(read(&text), Err(ParseError::TooMuch { .. })));
    }
}

/// A name as it may stand anywhere: plain or quoted.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zé_][a-z0-9_]{0,6}", "\"[a-z .,():*]{1,6}\""]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9 ]{0,8}", "\"[a-z,.() ]{0,8}\"", "\\{[a-z0-9,]{0,8}\\}"]
}

fn test() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("eq"),
        Just("not.gte"),
        Just("ilike"),
        Just("cs"),
        Just("like(any)"),
        Just("imatch(all)"),
        Just("match"),
        Just("wfts(english)"),
    ];
    prop_oneof![
        name().prop_map(|name| format!("not.lt(col).{name}->0->>b")),
        (word, value()).prop_map(|(word, value)| format!("{word}.{value}")),
        (value(), value()).prop_map(|(a, b)| format!("in.({a},{b})")),
        Just("is.null".to_owned()),
    ]
}

fn branch() -> impl Strategy<Value = String> {
    let leaf = (name(), test()).prop_map(|(name, test)| format!("{name}.{test}"));
    leaf.prop_recursive(4, 16, 3, |inner| {
        let joint = prop_oneof![Just("and"), Just("or"), Just("not.and"), Just("not.or")];
        (joint, prop::collection::vec(inner, 1..3)).prop_map(|(joint, parts)| format!("{joint}({})", parts.join(",")))
    })
}

fn item() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("*".to_owned()),
        name(),
        (name(), name()).prop_map(|(alias, name)| format!("{alias}:{name}::text")),
        name().prop_map(|name| format!("{name}->a->0->>b")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        (name(), prop_oneof![Just(""), Just("!inner"), Just("!hint!left")], prop::collection::vec(inner, 0..3))
            .prop_filter("counts rows", |(name, _, _)| name != "count")
            .prop_map(|(name, join, items)| format!("{name}{join}({})", items.join(",")))
    })
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused(text in "\\PC{0,60}") {
        for purpose in [Purpose::Read, Purpose::Insert, Purpose::Update, Purpose::Delete] {
            let _ = query(purpose, &text, &Limits::default());
        }
        let _ = range(&text);
        let _ = prefer([text.as_str()]);
    }

    #[test]
    fn text_of_the_grammars_own_characters_is_read_or_refused(
        text in "(select|order|and|or|in|not|eq|is|like|\\(|\\)|,|\\.|:|!|->|->>|\"|\\\\|\\{|\\}|=|&|[a-c0-2 -]){0,40}",
    ) {
        let _ = read(&text);
    }

    #[test]
    fn well_formed_queries_are_read(
        items in prop::collection::vec(item(), 1..4),
        branches in prop::collection::vec(branch(), 1..4),
        key in name(),
        test in test(),
    ) {
        let encode = |text: &str| {
            form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
        };
        let text = format!(
            "select={}&or={}&{}={}&{}.order={}.desc&limit=3",
            encode(&items.join(",")),
            encode(&format!("({})", branches.join(","))),
            encode(&format!("{key}.{key}")),
            encode(&test),
            encode(&key),
            encode(&key),
        );
        let limits = Limits { embeds_max: 1000, filters_max: 1000, ..Limits::default() };
        prop_assert!(query(Purpose::Read, &text, &limits).is_ok(), "{:?}", query(Purpose::Read, &text, &limits));
    }
}
