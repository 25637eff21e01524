//! Filters and logic trees, row by row of rest.md 3, 3.1 and 4; what PostgreSQL alone has is refused.

use crate::app::{TestApp, ask, check, check_error, get};

/// A filter with the characters encoded that no URL holds.
fn encoded(filter: &str) -> String {
    let mut text = String::new();
    for c in filter.chars() {
        match c {
            ' ' => text.push('+'),
            '>' | '{' | '}' | '"' | '\\' | '^' | '|' | '<' => text.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_ascii() => text.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("%{byte:02X}"))),
        }
    }
    text
}

/// The numbers of the toys that pass.
async fn ids(apps: &[TestApp], filter: &str, expected: &[u32]) {
    let rows: Vec<String> = expected.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
    let encoded = encoded(filter);
    check(apps, get(&format!("toys?select=id&order=id&{encoded}")), 200, &format!("[{}]", rows.join(","))).await;
}

async fn refused(apps: &[TestApp], filter: &str, status: u16, code: &str) {
    let encoded = encoded(filter);
    check_error(apps, get(&format!("toys?select=id&{encoded}")), status, code).await;
}

/// rest.md 3: comparison, and what null does.
#[tokio::test]
async fn comparisons() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("name=eq.kite", &[2][..]),
        ("name=neq.kite", &[1, 3]),
        ("color=neq.red", &[3]),
        ("color=not.eq.red", &[3]),
        ("price=gt.3", &[1]),
        ("price=gte.3", &[1, 2]),
        ("price=lt.3", &[3]),
        ("price=lte.3.00", &[2, 3]),
        ("pieces=eq.9007199254740993", &[1]),
        ("color=isdistinct.red", &[2, 3]),
        ("color=not.isdistinct.red", &[1]),
        ("id=gt.1&id=lt.3", &[2]),
        ("id=gt.1&id=not.gt.2", &[2]),
        ("name=eq.\"kite\"", &[]),
    ] {
        ids(&apps, filter, expected).await;
    }
    for (filter, code) in
        [("id=eq.x", "22P02"), ("id=eq.99999999999", "22003"), ("nope=eq.1", "42703"), ("id=5", "PGRST100")]
    {
        refused(&apps, filter, 400, code).await;
    }
    refused(&apps, "id=not.not.eq.1", 400, "PGRST100").await;
}

/// rest.md 3: `like`, `ilike`, `match`, `imatch`.
#[tokio::test]
async fn patterns() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("name=like.t*", &[1, 3][..]),
        ("name=like.T*", &[]),
        ("name=ilike.T*", &[1, 3]),
        ("name=like.t_p", &[3]),
        ("name=not.like.*i*", &[3]),
        ("name=match.^t.*n$", &[1]),
        ("name=match.i", &[1, 2]),
        ("name=imatch.^K", &[2]),
        ("name=not.match.i", &[3]),
        ("info->a->>c=match.^é$", &[1]),
        ("or=(name.match.^k,name.match.\"^t(o|x),?\")", &[2, 3]),
    ] {
        ids(&apps, filter, expected).await;
    }
    let bad = r#"{"code":"2201B","details":null,"hint":null,"message":"invalid regular expression: unclosed group"}"#;
    check(&apps, get("toys?name=match.("), 400, bad).await;
    refused(&apps, r"name=match.(a)\1", 400, "2201B").await;
    refused(&apps, r"name=match.\w{1000}", 400, "2201B").await;
    refused(&apps, "id=match.1", 404, "42883").await;
    refused(&apps, "id=like.1*", 404, "42883").await;
    let long = "a".repeat(1025);
    for operator in ["like", "ilike", "match", "imatch"] {
        ids(&apps, &format!("name={operator}.{}", &long[1..]), &[]).await;
        refused(&apps, &format!("name={operator}.{long}"), 400, "MS400").await;
    }
}

/// rest.md 3: `in`, with quoted elements and without any.
#[tokio::test]
async fn lists() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("id=in.(1,3,99)", &[1, 3][..]),
        ("name=in.(kite,\"a,b\",top)", &[2, 3]),
        ("id=in.()", &[]),
        ("id=not.in.()", &[1, 2, 3]),
        ("name=in.(\"\")", &[]),
        ("color=not.in.(red)", &[3]),
    ] {
        ids(&apps, filter, expected).await;
    }
    refused(&apps, "id=in.(1,x)", 400, "22P02").await;
    refused(&apps, "id=in.1,2", 400, "PGRST100").await;
}

/// rest.md 3: the words of `is`.
#[tokio::test]
async fn words() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("color=is.null", &[2][..]),
        ("color=is.NULL", &[2]),
        ("color=is.not_null", &[1, 3]),
        ("color=not.is.null", &[1, 3]),
        ("sold=is.true", &[1]),
        ("sold=is.False", &[2, 3]),
        ("sold=is.unknown", &[]),
        ("sold=not.is.unknown", &[1, 2, 3]),
        ("info->b=is.not_null", &[1]),
        ("tags=is.null", &[]),
    ] {
        ids(&apps, filter, expected).await;
    }
    refused(&apps, "color=is.nil", 400, "PGRST100").await;
    let wrong = r#"{"code":"42804","details":null,"hint":null,"message":"argument of IS TRUE must be type boolean, not type text"}"#;
    check(&apps, get("toys?name=is.true"), 400, wrong).await;
    refused(&apps, "info->a=is.unknown", 400, "42804").await;
}

/// rest.md 3: `cs`, `cd`, `ov` on arrays and documents; ranges are PostgreSQL's.
#[tokio::test]
async fn containment() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("tags=cs.{wood}", &[1][..]),
        ("tags=cs.{\"a,b\",wood}", &[1]),
        ("tags=cd.{wood,\"a,b\",c}", &[1, 2, 3]),
        ("tags=ov.{x,wood}", &[1]),
        ("info=cs.{\"b\":[1]}", &[1]),
        ("info->b=cd.[1,null,2]", &[1]),
        ("or=(tags.cs.{wood,x},tags.ov.{wood,x})", &[1]),
    ] {
        ids(&apps, filter, expected).await;
    }
    refused(&apps, "id=cs.{1}", 404, "42883").await;
    for operator in ["sl", "sr", "nxr", "nxl", "adj"] {
        refused(&apps, &format!("id={operator}.[1,2)"), 400, "PGRST127").await;
    }
}

/// rest.md 3: `op(any)` and `op(all)`; lists as clients send them, empty lists, null in them, under `not`.
#[tokio::test]
async fn quantified_operators() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("name=like(any).{k*,*p}", &[2, 3][..]),
        ("name=like(all).{t*,*n}", &[1]),
        ("name=ilike(any).{K*}", &[2]),
        ("name=ilike(all).{T*,*P}", &[3]),
        ("name=match(any).{^k,p$}", &[2, 3]),
        ("name=imatch(all).{^T,N$}", &[1]),
        ("id=eq(any).{1,3}", &[1, 3]),
        ("id=eq(all).{1,3}", &[]),
        ("id=eq(all).{2,2}", &[2]),
        ("price=gt(all).{3,0.05}", &[1]),
        ("price=gt(any).{3,0.05}", &[1, 2]),
        ("price=gte(all).{3,0.05}", &[1, 2]),
        ("price=lt(any).{3,0.05}", &[3]),
        ("price=lte(all).{3,0.05}", &[3]),
        ("name=like(any).{\"t*n\",\"a,b\"}", &[1]),
        ("or=(name.like(any).{k*,*p},id.eq(any).{9})", &[2, 3]),
        ("or=(name.like(any).\"{k*,*p}\")", &[2, 3]),
        ("and=(name.not.like(any).{k*,\"x,}y\"},id.gt(all).{0,1})", &[3]),
        // Nobody is one of none, and everybody is all of none, null too.
        ("color=eq(any).{}", &[]),
        ("color=not.eq(any).{}", &[1, 2, 3]),
        ("color=eq(all).{}", &[1, 2, 3]),
        ("color=gt(all).{}", &[1, 2, 3]),
        // Null in the list makes unknown what the others do not decide.
        ("id=eq(any).{1,null}", &[1]),
        ("id=not.eq(any).{1,null}", &[]),
        ("id=gt(all).{1,null}", &[]),
        ("id=not.gt(all).{1,NULL}", &[1]),
        ("color=not.eq(any).{red}", &[3]),
    ] {
        ids(&apps, filter, expected).await;
    }
    for filter in ["id=neq(any).{1}", "id=cs(any).{1}", "id=in(any).(1)", "id=eq(some).{1}"] {
        refused(&apps, filter, 400, "PGRST100").await;
    }
    refused(&apps, "id=eq(any).1", 400, "22P02").await;
    refused(&apps, "id=eq(any).{1,x}", 400, "22P02").await;
    refused(&apps, "name=match(any).{a,(}", 400, "2201B").await;
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    refused(&apps, &format!("id=gt(any).{{{}}}", many.join(",")), 400, "MS400").await;
    ids(&apps, &format!("id=eq(any).{{{}}}", many.join(",")), &[1, 2, 3]).await;
}

/// Beyond rest.md 3: a column against another.
#[tokio::test]
async fn columns_against_columns() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("price=gt(col).id", &[1, 2][..]),
        ("price=lt(col).id", &[3]),
        ("price=gte(col).weight", &[1, 3]),
        ("maker_id=eq(col).id", &[1, 2]),
        ("id=neq(col).pieces", &[1]),
        ("id=eq(col).pieces", &[3]),
        ("id=isdistinct(col).pieces", &[1, 2]),
        ("id=not.isdistinct(col).pieces", &[3]),
        ("pieces=lte(col).id", &[3]),
        ("since=lt(col).seen_at", &[1]),
        ("name=like(col).name", &[1, 2, 3]),
        ("name=not.ilike(col).color", &[1, 3]),
        ("info->a->>c=eq(col).info->a->>c", &[1]),
        ("tags->>0=neq(col).name", &[1]),
        ("or=(price.lt(col).id,name.eq(col).color,id.eq.2)", &[2, 3]),
        ("not.and=(price.gt(col).id)", &[3]),
        ("color=not.eq(col).name", &[1, 3]),
    ] {
        ids(&apps, filter, expected).await;
    }
    let wrong = concat!(
        r#"{"code":"42883","details":null,"hint":"No operator matches the given name and argument types. "#,
        r#"You might need to add explicit type casts.","message":"operator does not exist: integer gt text"}"#
    );
    check(&apps, get("toys?id=gt(col).name"), 404, wrong).await;
    refused(&apps, "name=like(col).id", 404, "42883").await;
    refused(&apps, "info=eq(col).tags", 404, "42883").await;
    refused(&apps, "id=gt(col).nope", 400, "42703").await;
    refused(&apps, "id=gt(col).", 400, "PGRST100").await;
    refused(&apps, "id=gt(col).price.x", 400, "PGRST100").await;
    refused(&apps, "id=in(col).price", 400, "PGRST100").await;
    refused(&apps, "id=gt(col).makers.id", 400, "PGRST100").await;
}

/// rest.md 3.1: paths into any column, `->` compares JSON and `->>` text.
#[tokio::test]
async fn json_paths() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("info->a->>c=eq.é", &[1][..]),
        ("info->a->c=eq.\"é\"", &[1]),
        ("info->b->0=eq.1", &[1]),
        ("info->b->>0=eq.1", &[1]),
        ("info->b->-2=eq.1", &[1]),
        ("info->b->1=is.null", &[2, 3]),
        ("info->b->>1=is.null", &[1, 2, 3]),
        ("tags->>0=eq.wood", &[1]),
        ("tags->0=eq.\"wood\"", &[1]),
        ("tags->>-1=like.*,b", &[1]),
        ("name->a=is.null", &[1, 2, 3]),
        ("price->>0=eq.3", &[]),
        ("or=(info->b->>0.eq.1,tags->0.is.not_null,name->>x.eq.y)", &[1]),
        ("info->\"a\"->>\"c\"=eq.é", &[1]),
    ] {
        ids(&apps, filter, expected).await;
    }
    refused(&apps, "info->a=eq.x", 400, "22P02").await;
    for filter in ["info->0x=eq.1", "info->=eq.1", "info->>a->b=eq.1", "or=(info->0x.eq.1)"] {
        refused(&apps, filter, 400, "PGRST100").await;
    }
    for (url, body) in [
        ("toys?id=eq.1&select=tags-%3E0,name-%3Ea", r#"[{"tags":"wood","a":null}]"#),
        ("toys?id=eq.1&select=n:info-%3Eb-%3E0::int,t:info-%3Eb-%3E%3E0::int", r#"[{"n":1,"t":1}]"#),
        ("toys?id=eq.1&select=info-%3Ea-%3E%3Ec::text,x:tags-%3E%3E0::varchar", r#"[{"c":"é","x":"wood"}]"#),
        ("toys?select=id&order=tags-%3E0,info-%3Eb-%3E0.desc.nullslast,id", r#"[{"id":1},{"id":2},{"id":3}]"#),
        ("toys?select=id&order=name-%3Ea,id.desc&limit=1", r#"[{"id":3}]"#),
    ] {
        check(&apps, get(url), 200, body).await;
    }
    // rest.md 5: casts.
    check_error(&apps, get("toys?select=name::nope"), 400, "42704").await;
    check_error(&apps, get("toys?select=sold::date"), 400, "42846").await;
    for url in ["toys?select=tags-%3E0x", "toys?select=tags-%3E0)", "toys?order=tags-%3E0x"] {
        check_error(&apps, get(url), 400, "PGRST100").await;
    }
    check_error(&apps, get("toys?id=eq.1&select=x:info-%3Ea-%3E%3Ec::int"), 400, "22P02").await;
}

/// rest.md 2: blanks may stand around the elements of lists and trees, and in quotes they belong to the value.
#[tokio::test]
async fn blanks_around_elements_mean_nothing() {
    let apps = TestApp::each().await;
    for query in [
        "or=(+name.eq.kite+,+name.eq.none+)",
        "or=(name.eq.kite+,and+(id.eq.7+,+name.eq.x)+)",
        "and=(+name.in.(+kite+,+none+)+,+sold.is.false+)",
        "name=in.(+kite+,none)",
        "and=(name.not.eq.train+,+or(+name.eq.kite+,name.eq.%22kite+%22))",
    ] {
        check(&apps, get(&format!("toys?select=id&{query}")), 200, r#"[{"id":2}]"#).await;
    }
    check(&apps, get("toys?select=id&or=(name.eq.%22kite+%22)"), 200, "[]").await;
}

/// rest.md 4: trees, also negated and on embeds.
#[tokio::test]
async fn logic_trees() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("or=(id.eq.1,name.eq.top)", &[1, 3][..]),
        ("and=(id.gt.1,or(name.eq.top,name.eq.train))", &[3]),
        ("not.or=(id.eq.1,id.eq.2)", &[3]),
        ("not.and=(id.gt.1,sold.is.false)", &[1]),
        ("or=(and(id.eq.1,sold.is.true),not.and(id.lt.3,sold.is.false))&id=lt.3", &[1]),
        ("or=(not.or(id.eq.1,id.eq.2),color.not.in.(red,blue))", &[3]),
        ("or=( id.eq.1 , id.eq.3 )", &[1, 3]),
        ("or=(name.eq.\"kite\",name.eq.\"x,y)\")", &[2]),
        ("or=(id.eq.1,id.eq.2)&or=(id.eq.2,id.eq.3)", &[2]),
    ] {
        ids(&apps, filter, expected).await;
    }
    for filter in ["or=()", "or=(id.eq.1", "or=(id.eq.1)x", "or=id.eq.1", "or=(id)", "and=(not.id.eq.1)"] {
        refused(&apps, filter, 400, "PGRST100").await;
    }
    let url = "makers?select=name,toys(id)&toys.or=(id.eq.1,name.eq.kite)&toys.not.and=(id.eq.1)&order=id";
    let body = r#"[{"name":"Oak","toys":[]},{"name":"Pine","toys":[{"id":2}]}]"#;
    check(&apps, get(url), 200, body).await;
}

/// rest.md 4 and 7.8: embeds are tested for null, in trees too, and for nothing else.
#[tokio::test]
async fn null_tests_on_embeds() {
    let apps = TestApp::each().await;
    for (url, body) in [
        ("toys?select=id,makers()&makers=is.null&order=id", r#"[{"id":3}]"#),
        ("toys?select=id,makers()&makers=not.is.null&order=id", r#"[{"id":1},{"id":2}]"#),
        ("toys?select=id,makers(),parts()&or=(makers.is.null,parts.not.is.null)&order=id", r#"[{"id":1},{"id":3}]"#),
        (
            "toys?select=id,m:makers(),parts()&and=(m.not.is.null,parts.is.null,info-%3Ea.is.null)&order=id",
            r#"[{"id":2}]"#,
        ),
        (
            "makers?select=id,toys(id,parts())&toys.or=(parts.not.is.null,name.eq.x)&order=id",
            r#"[{"id":1,"toys":[{"id":1}]},{"id":2,"toys":[]}]"#,
        ),
        ("makers?select=id,toys(parts())&toys.parts=is.null&toys=not.is.null", r#"[{"id":2,"toys":[{}]}]"#),
        ("toys?select=id,parts()&parts.number=eq.7&parts=is.null&order=id", r#"[{"id":1},{"id":2},{"id":3}]"#),
    ] {
        check(&apps, get(url), 200, body).await;
    }
    let wrong = concat!(
        r#"{"code":"PGRST120","details":"Only is null or not is null filters are allowed on embedded resources","#,
        r#""hint":null,"message":"Bad operator on the 'makers' embedded resource"}"#
    );
    check(&apps, get("toys?select=id,makers()&makers=eq.1"), 400, wrong).await;
    for filter in
        ["makers=is.true", "or=(makers.in.(1),id.eq.1)", "makers=eq(col).id", "makers=not.like.x", "makers=fts.x"]
    {
        check_error(&apps, get(&format!("toys?select=id,makers()&{filter}")), 400, "PGRST120").await;
    }
    check_error(&apps, get("toys?select=id,makers()&makers-%3Ea=is.null"), 400, "42703").await;
    check_error(&apps, get("toys?select=id&makers=is.null"), 400, "42703").await;
}

/// rest.md 3: `fts`, `plfts`, `phfts`, `wfts`, where an index is declared.
#[tokio::test]
async fn words_are_found_by_an_index() {
    let apps = TestApp::each().await;
    for (filter, expected) in [
        ("name=fts.trains", &[1][..]),
        ("name=fts.Train|kite", &[1, 2]),
        ("name=fts.!train", &[2, 3]),
        ("name=fts.t:*", &[1, 3]),
        ("name=not.fts.train", &[2, 3]),
        ("color=fts.red", &[1]),
        ("color=not.fts.red", &[3]),
        ("words=fts.train & red", &[1]),
        ("name=fts.train & red", &[]),
        ("words=plfts.red train", &[1]),
        ("words=phfts.train red", &[]),
        ("words=wfts.red or kite", &[1, 2]),
        ("words=wfts(english).-train -blue", &[2]),
        ("or=(name.fts.kite,words.wfts.\"blue, top\")", &[2, 3]),
        ("name=fts.", &[]),
    ] {
        let filter = filter.replace(" & ", "+%26+");
        ids(&apps, &filter, expected).await;
    }
    let url = "makers?select=name,toys(name)&toys.name=fts.kites&toys=not.is.null";
    check(&apps, get(url), 200, r#"[{"name":"Pine","toys":[{"name":"kite"}]}]"#).await;
    let wrong = r#"{"code":"42601","details":null,"hint":null,"message":"syntax error in tsquery: \"train kite\""}"#;
    check(&apps, get("toys?name=fts.train+kite"), 400, wrong).await;
    let undeclared = concat!(
        r#"{"code":"PGRST127","details":"A search in makers.name needs a full-text index. Declare under [makers.indexes]: "#,
        r#"search = { fulltext = [\"name\"], language = \"english\" }.","hint":null,"message":"Feature not implemented"}"#
    );
    check(&apps, get("makers?name=wfts.oak"), 400, undeclared).await;
    refused(&apps, "name=fts(german).x", 400, "PGRST127").await;
    refused(&apps, "name=fts(klingon).x", 400, "42704").await;
    refused(&apps, "name=fts.x:A", 400, "PGRST127").await;
    refused(&apps, "info->>a=fts.x", 400, "PGRST127").await;
    refused(&apps, "id=fts.x", 404, "42883").await;
    refused(&apps, "nope=fts.x", 400, "42703").await;
    refused(&apps, "words=eq.x", 400, "42703").await;
    refused(&apps, "name=fts(any).{x}", 400, "42704").await;
    let many = vec!["a"; 65].join("+");
    refused(&apps, &format!("name=plfts.{many}"), 400, "MS400").await;
    refused(&apps, &format!("name=fts.{}a", "!".repeat(11)), 400, "MS400").await;
}

/// rest.md 3, 11.6, 11.7: writes are found by words, and what they write is found at once.
#[tokio::test]
async fn words_follow_writes() {
    for app in TestApp::each().await {
        let patch =
            ask("PATCH", "toys?name=fts.kites").body(r#"{"name":"flying carpet"}"#).prefer("return=representation");
        let reply = app.send(patch).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        for (word, expected) in [("kite", "[]"), ("carpets", r#"[{"id":2}]"#)] {
            assert_eq!(app.send(get(&format!("toys?select=id&words=fts.{word}"))).await.body, expected, "{word}");
        }
        assert_eq!(app.send(ask("DELETE", "toys?words=fts.carpet")).await.status, 204);
        assert_eq!(app.send(get("toys?select=id&words=fts.carpet")).await.body, "[]");
    }
}
