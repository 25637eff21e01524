//! Bodies of batches: what is read, what is refused, and what references become.

use super::*;
use crate::limits::Limits;
use crate::parse::{self, Purpose};
use crate::request::{Arguments, CallRequest, Condition, Count, Operation};

fn batch(steps: &str) -> Result<Batch, BatchError> {
    read(format!("{{\"steps\":[{steps}]}}").as_bytes(), &Limits::default())
}

fn refused(text: &str) -> String {
    let error = read(text.as_bytes(), &Limits::default()).expect_err(text);
    let step = error.step.map_or(String::new(), |(step, id)| format!("{step} {}: ", id.unwrap_or_default()));
    match error.error {
        ParseError::Body { message, details } => format!("{step}{message}: {}", details.unwrap_or_default()),
        other => format!("{step}{other}"),
    }
}

/// Two steps, `a` and `b`, that gave these, and a third with this path and body.
fn third(path: &str, body: &str) -> Result<Step, BatchError> {
    let steps = format!(
        r#"{{"id":"a","method":"GET","path":"/t"}},{{"id":"b","method":"GET","path":"/t","accept":"application/vnd.pgrst.object+json"}},
           {{"method":"POST","path":{path:?},"body":{body}}}"#
    );
    Ok(batch(&steps)?.steps.pop().unwrap())
}

fn answers() -> Answers {
    let mut answers = Answers::default();
    let rows = br#"[{"id":9007199254740993,"name":"a\",b","o":{"x y":[10,2.50]}},{"id":2,"name":null,"o":{}}]"#;
    answers.push(Some(rows)).unwrap();
    answers.push(Some(br#"{"id":7,"s":"x&y=eq.1"}"#)).unwrap();
    answers
}

fn filled(body: &str) -> Result<String, String> {
    let step = third("/t", body).map_err(|error| error.to_string())?;
    let outcome = step.body.unwrap().fill(&answers(), 1000);
    outcome.map_err(|error| match error {
        ParseError::Body { details, .. } => details.unwrap_or_default(),
        other => other.to_string(),
    })
}

#[test]
fn values_keep_their_form() {
    for (body, expected) in [
        (r#"{"x":{"$ref":"a[0].id"}}"#, r#"{"x":9007199254740993}"#),
        (r#"{"x":{"$ref":"a[0].name"},"y":1.50}"#, r#"{"x":"a\",b","y":1.50}"#),
        (r#"[{"x":{"$ref":"a[1].name"}},{"x":2}]"#, r#"[{"x":null},{"x":2}]"#),
        (r#"{"x":{"$ref":"a[0].o[\"x y\"][1]"}}"#, r#"{"x":2.50}"#),
        (r#"{"x":{"$ref":"a[*].id"}}"#, r#"{"x":[9007199254740993,2]}"#),
        (r#"{"x":{"$ref":"b.id"}}"#, r#"{"x":7}"#),
        (r#"{"x":{"$ref":"b"}}"#, r#"{"x":{"id":7,"s":"x&y=eq.1"}}"#),
        (r#"{"$ref":"a[0].o"}"#, r#"{"x y":[10,2.50]}"#),
        (r#"{"x":{"y":[{"\u0024ref":"b.id"}]}}"#, r#"{"x":{"y":[7]}}"#),
        (r#"{"x":{"$literal":{"$ref":"nothing"}}}"#, r#"{"x":{"$ref":"nothing"}}"#),
        (r#"{"x":{"$literal":{"$literal":1}}}"#, r#"{"x":{"$literal":1}}"#),
        (r#"{"x":"$ref","$":[]}"#, r#"{"x":"$ref","$":[]}"#),
    ] {
        assert_eq!(filled(body).as_deref(), Ok(expected), "{body}");
    }
}

#[test]
fn references_to_nothing_say_what_is_missing() {
    for (body, expected) in [
        (r#"{"x":{"$ref":"a[2].id"}}"#, "\"a[2].id\": there are 2 rows."),
        (r#"{"x":{"$ref":"a[0].nope"}}"#, "\"a[0].nope\": there is no member \"nope\"."),
        (r#"{"x":{"$ref":"a[0].id.x"}}"#, "\"a[0].id.x\": there is no object that could have \"x\"."),
        (r#"{"x":{"$ref":"a[0].id[0]"}}"#, "\"a[0].id[0]\": there is no list."),
        (r#"{"x":{"$ref":"a.id"}}"#, "\"a.id\": the step gave a list of rows; say which, as in step[0].member."),
    ] {
        assert_eq!(filled(body), Err(expected.to_owned()), "{body}");
    }
    let step = third("/t", r#"{"x":{"$ref":"a[0].id"}}"#).unwrap();
    let mut nothing = Answers::default();
    nothing.push(None).unwrap();
    assert!(step.body.as_ref().unwrap().fill(&nothing, 1000).is_err());
    assert!(step.body.unwrap().fill(&answers(), 10).is_err());
}

/// The operands of a query, in their order, after its references are filled in.
fn operands(query: &str) -> Result<Vec<String>, ParseError> {
    let step = third(&format!("/t?{query}"), "{}").unwrap();
    let limits = Limits::default();
    let mut parsed = parse::query(Purpose::Read, &step.path.query, &limits)?;
    step.path.check(parsed.clone(), &limits)?;
    step.path.fill(&mut parsed, &answers(), &limits)?;
    let mut found = Vec::new();
    parsed.filters.iter().for_each(|filter| collect(&filter.what, &mut found));
    Ok(found)
}

fn collect(condition: &Condition, found: &mut Vec<String>) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| collect(part, found)),
        Condition::Not(part) => collect(part, found),
        Condition::Test(_, Operation::Binary { value, .. }) => found.push(value.clone()),
        Condition::Test(_, Operation::In(list)) => found.push(list.join("|")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_in_a_query_is_an_operand_whatever_it_holds() {
    for (query, expected) in [
        ("id=eq.${a[0].id}", &["9007199254740993"][..]),
        ("name=eq.${a[0].name}&x=eq.1", &["a\",b", "1"]),
        ("name=not.eq.${b.s}", &["x&y=eq.1"]),
        ("or=(name.eq.${a[0].name},id.gt.${b.id})", &["a\",b", "7"]),
        ("id=in.(1,${a[0].name},${a[*].id})", &["1|a\",b|9007199254740993|2"]),
        ("tags=cs.${a[0].o[\"x y\"]}", &["[10,2.50]"]),
        ("name=eq.Big Bird é #1", &["Big Bird é #1"]),
        ("name=eq.%24{x}", &["${x}"]),
    ] {
        assert_eq!(operands(query).unwrap(), expected, "{query}");
    }
}

#[test]
fn a_reference_stands_for_a_whole_operand_and_nothing_else() {
    for query in [
        "id=eq.1${b.id}",
        "id=eq.${b.id}1",
        "id=${b.s}",
        "${b.s}=eq.1",
        "select=${b.s}",
        "select=id&order=${b.s}",
        "limit=${b.id}",
        "name=like.${b.s}",
        "name=match.${b.s}",
        "id=is.${b.s}",
        "id=eq(any).{${b.id}}",
        "id=eq.${a[*].id}",
        "id=in.(x${b.id})",
        "name=eq.${a[1].name}",
        "or=(${b.s})",
    ] {
        assert!(operands(query).is_err(), "{query}");
    }
}

#[test]
fn arguments_of_a_function_are_references_or_hold_none() {
    let limits = Limits::default();
    let call = |query: &str| {
        let path = third(&format!("/rpc/f?{query}"), "{}").unwrap().path;
        assert!(path.is_call && path.name == "f");
        let (query, arguments) = parse::call(&path.query, &limits)?;
        let mut call = CallRequest {
            function: path.name.clone(),
            arguments: Arguments::Named(arguments),
            query,
            count: Count::None,
            read_only: true,
            singular: false,
            affected_max: None,
        };
        path.check_call(call.clone(), &limits)?;
        path.fill_call(&mut call, &answers(), &limits)?;
        let Arguments::Named(arguments) = call.arguments else { panic!("named") };
        Ok::<_, ParseError>((arguments, call.query.filters.len()))
    };
    let argument = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    // What looks like a filter is none when it comes by a reference.
    assert_eq!(call("x=${b.s}&y=1").unwrap(), (vec![argument("x", "x&y=eq.1"), argument("y", "1")], 0));
    assert_eq!(call("x=${b.id}&y=eq.${b.id}").unwrap(), (vec![argument("x", "7")], 1));
    for query in ["x=1${b.id}", "${b.s}=1", "x=${a[*].id}", "x=${a[1].name}", "x=${a}"] {
        assert!(call(query).is_err(), "{query}");
    }
}

#[test]
fn what_is_no_batch_is_refused_with_its_place() {
    let step = |rest: &str| format!(r#"{{"steps":[{{"method":"GET","path":"/t"{rest}}}]}}"#);
    for (text, expected) in [
        ("", "The body is not a batch: EOF while parsing a value at line 1 column 0".to_owned()),
        (
            r#"[[{"method":"GET","path":"/a"}]]"#,
            "The body is not a batch: it is an object with the member steps, and this is a list".to_owned(),
        ),
        (r#"{"steps":[]}"#, "The body is not a batch: there are no steps".to_owned()),
        (r#"{"steps":[[null,"GET","/a"]]}"#, "0 : The body is not a batch: a step is an object".to_owned()),
        (
            &step(r#","id":"1x""#),
            "0 1x: The id of a step is no name: It is a letter or _, then letters, digits, _ and \
            -, at most 64 in all."
                .to_owned(),
        ),
        (&step(r#","body":{}"#), "0 : A step has a body: GET takes none.".to_owned()),
        (r#"{"steps":[{"method":"POST","path":"/t"}]}"#, "0 : A step has no body: POST needs one.".to_owned()),
        (
            r#"{"steps":[{"method":"HEAD","path":"/t"}]}"#,
            "0 : A step cannot be \"HEAD\": Its method is GET, POST, PUT, \
            PATCH or DELETE."
                .to_owned(),
        ),
        (
            r#"{"steps":[{"method":"GET","path":"t"}]}"#,
            "0 : The path of a step leads to no table: It is \
            /{table}?{query} or /rpc/{function}?{query}."
                .to_owned(),
        ),
        (
            r#"{"steps":[{"id":"x","method":"GET","path":"/t"},{"id":"x","method":"GET","path":"/t"}]}"#,
            "1 x: Two steps have the same id: The id \"x\".".to_owned(),
        ),
        (
            r#"{"steps":[{"id":"x","method":"GET","path":"/t?id=eq.${x[0].id}"}]}"#,
            "0 x: A reference leads to nothing: \"x[0].id\": no step before this one has the id \"x\".".to_owned(),
        ),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
    for text in [
        step(r#","nonsense":1"#),
        r#"{"steps":[{"method":"GET","path":"/t"}],"x":1}"#.to_owned(),
        r#"{"steps":[{"method":"GET","path":"/t","method":"GET"}]}"#.to_owned(),
        r#"{"steps":[{"path":"/t"}]}"#.to_owned(),
        r#"{"steps":[{"method":"GET"}]}"#.to_owned(),
        r#"{"steps":[{"method":"GET","path":"/t/x"}]}"#.to_owned(),
        r#"{"steps":[{"method":"GET","path":"/rpc/"}]}"#.to_owned(),
        r#"{"steps":[{"method":"GET","path":"/rpc/x/y"}]}"#.to_owned(),
        r#"[]"#.to_owned(),
        r#"{"steps":[{"method":"GET","path":"/t"}]} x"#.to_owned(),
    ] {
        refused(&text);
    }
    let many = vec![r#"{"method":"GET","path":"/t"}"#; 101].join(",");
    assert!(batch(&many).is_err());
    assert!(batch(&many[..many.len() - r#",{"method":"GET","path":"/t"}"#.len()]).is_ok());
    let deep = format!("{}{{\"$ref\":\"a[0]\"}}{}", "[".repeat(100), "]".repeat(100));
    assert!(third("/t", &deep).is_err());
}

#[test]
fn references_that_do_not_parse_are_refused() {
    for reference in
        ["a", "a[", "a[]", "a[-1]", "a[x]", "a.", "a..b", "a[\"x]", "a[*][*]", "a[0].b c}", " a[0]", "c[0].x", ""]
    {
        let body = format!("{{\"x\":{{\"$ref\":{reference:?}}}}}");
        let is_refused = third("/t", &body).is_err();
        assert!(is_refused || filled(&body).is_err(), "{reference}");
    }
    for body in [r#"{"$ref":1}"#, r#"{"$ref":"a[0].id","x":1}"#, r#"{"x":{"$literal":1,"y":2}}"#] {
        assert!(third("/t", body).is_err(), "{body}");
    }
}
