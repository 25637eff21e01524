//! rest.md 7: related rows inside rows.

use super::rows;
use crate::app::{TestApp, ask, check, check_error, get, post};

/// Many to many, one to one, itself, two references of one table.
const SCHOOL: &str = r#"
[people.fields]
id      = { type = "int", primary = true }
name    = "text"
boss_id = { ref = "people", optional = true }

[passports.fields]
person_id = { ref = "people", primary = true }
number    = "text"

[clubs.fields]
id   = { type = "int", primary = true }
name = "text"

[members]
primary = ["club_id", "person_id"]

[members.fields]
club_id   = { ref = "clubs" }
person_id = { ref = "people" }

[games.fields]
id   = { type = "int", primary = true }
home = { ref = "clubs" }
away = { ref = "clubs" }
"#;

async fn school() -> Vec<TestApp> {
    let apps = TestApp::each_over(SCHOOL).await;
    for (table, body) in [
        ("people", r#"[{"id":1,"name":"Ann","boss_id":null},{"id":2,"name":"Bo","boss_id":1}]"#),
        ("passports", r#"{"person_id":1,"number":"X1"}"#),
        ("clubs", r#"[{"id":1,"name":"Chess"},{"id":2,"name":"Go"}]"#),
        ("members", r#"[{"club_id":1,"person_id":1},{"club_id":1,"person_id":2}]"#),
        ("games", r#"{"id":1,"home":1,"away":2}"#),
    ] {
        check(&apps, post(table, body), 201, "").await;
    }
    apps
}

/// rest.md 7.1: each kind of relationship, from both sides.
#[tokio::test]
async fn each_kind_of_relationship() {
    rows(
        &school().await,
        &[
            ("passports?select=number,people(name)", r#"[{"number":"X1","people":{"name":"Ann"}}]"#),
            (
                "people?select=id,passports(number)",
                r#"[{"id":1,"passports":{"number":"X1"}},{"id":2,"passports":null}]"#,
            ),
            (
                "clubs?select=id,people(name)&people.order=name.desc",
                r#"[{"id":1,"people":[{"name":"Bo"},{"name":"Ann"}]},{"id":2,"people":[]}]"#,
            ),
            ("people?select=id,clubs(name)&id=eq.1", r#"[{"id":1,"clubs":[{"name":"Chess"}]}]"#),
            ("clubs?select=id,members(person_id)&id=eq.2", r#"[{"id":2,"members":[]}]"#),
            // Itself: by the table the children, by the column the parent.
            ("people?select=id,people(id)", r#"[{"id":1,"people":[{"id":2}]},{"id":2,"people":[]}]"#),
            ("people?select=id,boss_id(name)", r#"[{"id":1,"boss_id":null},{"id":2,"boss_id":{"name":"Ann"}}]"#),
        ],
    )
    .await;
}

/// rest.md 7.2: targets and hints, alias and join in either order; no match and several.
#[tokio::test]
async fn targets_and_hints() {
    let apps = school().await;
    let home = r#"[{"id":1,"h":{"name":"Chess"}}]"#;
    rows(
        &apps,
        &[
            ("games?select=id,h:clubs!home(name)", home),
            ("games?select=id,h:clubs!games_home_fkey(name)", home),
            ("games?select=id,h:home(name)", home),
            ("games?select=id,h:games_home_fkey(name)", home),
            ("games?select=id,h:clubs!home!inner(name)", home),
            ("games?select=id,h:clubs!inner!home(name)", home),
            ("games?select=id,h:clubs!left!home(name)", home),
            ("games?select=id,home(name)", r#"[{"id":1,"home":{"name":"Chess"}}]"#),
            ("clubs?select=id,games!away(id)&id=eq.2", r#"[{"id":2,"games":[{"id":1}]}]"#),
            ("clubs?select=id,people!members(name)&id=eq.2", r#"[{"id":2,"people":[]}]"#),
            ("people?select=id,boss:people!boss_id(name)&id=eq.9", "[]"),
        ],
    )
    .await;
    check(
        &apps,
        get("games?select=passports(number)"),
        400,
        r#"{"code":"PGRST200","details":"Searched for a foreign key relationship between 'games' and 'passports' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'games' and 'passports' in the schema cache"}"#,
    )
    .await;
    let using = get("games?select=clubs!nope(name)");
    let reply = apps[0].send(using.clone()).await;
    assert!(
        reply.body.contains("between 'games' and 'clubs' using the hint 'nope' in the schema 'public'"),
        "{}",
        reply.body
    );
    check_error(&apps, using, 400, "PGRST200").await;
    // rest.md 16.4.
    check(
        &apps,
        get("games?select=clubs(name)"),
        300,
        r#"{"code":"PGRST201","details":[{"cardinality":"many-to-one","embedding":"games with clubs","relationship":"games_home_fkey using games(home) and clubs(id)"},{"cardinality":"many-to-one","embedding":"games with clubs","relationship":"games_away_fkey using games(away) and clubs(id)"}],"hint":"Try changing 'clubs' to one of the following: 'clubs!games_home_fkey', 'clubs!games_away_fkey'. Find the desired relationship in the 'details' key.","message":"Could not embed because more than one relationship was found for 'games' and 'clubs'"}"#,
    )
    .await;
}

/// rest.md 7.3: left keeps parents, inner drops them; counts are of what stays.
#[tokio::test]
async fn joins_keep_or_drop_parents() {
    let apps = TestApp::each().await;
    let all = r#"[{"id":1,"parts":[{"number":2}]},{"id":2,"parts":[]},{"id":3,"parts":[]}]"#;
    rows(
        &apps,
        &[
            ("toys?select=id,parts(number)&parts.number=eq.2", all),
            ("toys?select=id,parts!left(number)&parts.number=eq.2", all),
            ("toys?select=id,parts!inner(number)&parts.number=eq.2", r#"[{"id":1,"parts":[{"number":2}]}]"#),
            ("toys?select=id,parts!inner(number)&parts.number=eq.9", "[]"),
            ("toys?select=id,makers!inner(name)&makers.name=eq.Pine", r#"[{"id":2,"makers":{"name":"Pine"}}]"#),
            (
                "makers?select=id,toys!inner(parts!inner(number))&toys.parts.number=eq.1",
                r#"[{"id":1,"toys":[{"parts":[{"number":1}]}]}]"#,
            ),
        ],
    )
    .await;
    for app in &apps {
        for (join, range) in [("", "0-0/3"), ("!left", "0-0/3"), ("!inner", "0-0/1")] {
            let url = format!("toys?select=id,parts{join}(number)&limit=1&order=id");
            let reply = app.send(get(&url).prefer("count=exact")).await;
            assert_eq!(reply.header("content-range"), range, "{join}");
        }
    }
    check_error(&apps, get("toys?select=id,parts!outer(number)"), 400, "PGRST200").await;
}

/// rest.md 7.4: filters, trees, order, limit and offset shape what is inside each parent.
#[tokio::test]
async fn what_stands_before_a_dot_shapes_the_embed() {
    let apps = TestApp::each().await;
    let both = |inside: &str| format!(r#"[{{"id":1,"parts":{inside}}}]"#);
    for (query, inside) in [
        ("parts.number=gt.1", r#"[{"number":2}]"#),
        ("parts.label=is.null", r#"[{"number":2}]"#),
        ("parts.label=not.is.null", r#"[{"number":1}]"#),
        ("parts.or=(number.eq.2,label.eq.none)", r#"[{"number":2}]"#),
        ("parts.not.or=(number.eq.2,label.eq.none)", r#"[{"number":1}]"#),
        ("parts.and=(number.eq.2,number.eq.1)", "[]"),
        ("parts.order=number.desc", r#"[{"number":2},{"number":1}]"#),
        ("parts.order=label.nullsfirst", r#"[{"number":2},{"number":1}]"#),
        ("parts.order=number&parts.limit=1", r#"[{"number":1}]"#),
        ("parts.order=number&parts.offset=1", r#"[{"number":2}]"#),
        ("parts.order=number&parts.limit=1&parts.offset=2", "[]"),
        ("parts.limit=0", "[]"),
    ] {
        check(&apps, get(&format!("toys?select=id,parts(number)&id=eq.1&{query}")), 200, &both(inside)).await;
    }
    // A limit is that of each parent, and levels below have their own.
    check(&apps, post("toys", r#"{"name":"boat","maker_id":1}"#), 201, "").await;
    rows(
        &apps,
        &[
            (
                "makers?select=id,toys(id)&toys.limit=1&toys.order=id.desc&order=id",
                r#"[{"id":1,"toys":[{"id":4}]},{"id":2,"toys":[{"id":2}]}]"#,
            ),
            (
                "makers?select=id,toys(id,parts(number))&toys.parts.limit=1&toys.parts.order=number.desc&toys.order=id&id=eq.1",
                r#"[{"id":1,"toys":[{"id":1,"parts":[{"number":2}]},{"id":4,"parts":[]}]}]"#,
            ),
            (
                "makers?select=id,t:toys(id,p:parts(number))&t.p.or=(number.eq.2,number.eq.7)&t.id=eq.1&id=eq.1",
                r#"[{"id":1,"t":[{"id":1,"p":[{"number":2}]}]}]"#,
            ),
        ],
    )
    .await;
    for query in [
        "makers.name=eq.x",
        "makers.order=name",
        "makers.limit=1",
        "makers.offset=1",
        "makers.or=(id.eq.1)",
        "parts.toys.id=eq.1",
    ] {
        check_error(&apps, get(&format!("toys?select=id,parts(number)&{query}")), 400, "PGRST108").await;
    }
    for (query, status, code) in
        [("parts.nope=eq.1", 400, "42703"), ("parts.limit=-1", 416, "PGRST103"), ("parts.order=nope", 400, "42703")]
    {
        check_error(&apps, get(&format!("toys?select=id,parts(number)&{query}")), status, code).await;
    }
}

/// rest.md 7.5: embeds in embeds.
#[tokio::test]
async fn embeds_nest() {
    let apps = school().await;
    rows(
        &apps,
        &[
            (
                "games?select=home(name,people(name,passports(number))),away(people(name))&home.people.order=id",
                r#"[{"home":{"name":"Chess","people":[{"name":"Ann","passports":{"number":"X1"}},{"name":"Bo","passports":null}]},"away":{"people":[]}}]"#,
            ),
            (
                "people?select=name,boss_id(name,clubs(id,members(person_id)))&id=eq.2&boss_id.clubs.members.order=person_id",
                r#"[{"name":"Bo","boss_id":{"name":"Ann","clubs":[{"id":1,"members":[{"person_id":1},{"person_id":2}]}]}}]"#,
            ),
        ],
    )
    .await;
    check_error(&apps, get("games?select=home(people(nope))"), 400, "42703").await;
    check_error(&apps, get("games?select=home(people(games(id)))"), 400, "PGRST200").await;
}

/// rest.md 7.7: what a write gives back may embed; filters on embeds do not pick rows.
#[tokio::test]
async fn writes_embed_in_what_they_give_back() {
    let apps = TestApp::each().await;
    let returning = |method, url, body: &'static str| ask(method, url).body(body).prefer("return=representation");
    let new = returning("POST", "toys?select=name,makers(name),parts(number)", r#"{"name":"boat","maker_id":2}"#);
    check(&apps, new, 201, r#"[{"name":"boat","makers":{"name":"Pine"},"parts":[]}]"#).await;
    let change =
        returning("PATCH", "toys?select=id,makers(name),parts(number)&id=lte.2&parts.number=eq.2", r#"{"maker_id":2}"#);
    let changed =
        r#"[{"id":1,"makers":{"name":"Pine"},"parts":[{"number":2}]},{"id":2,"makers":{"name":"Pine"},"parts":[]}]"#;
    check(&apps, change, 200, changed).await;
    let gone = returning("DELETE", "parts?select=number,toys(name)&number=eq.2", "");
    check(&apps, gone, 200, r#"[{"number":2,"toys":{"name":"train"}}]"#).await;
    let unknown = returning("PATCH", "toys?select=id,letters(to_id)&id=eq.1", r#"{"name":"x"}"#);
    check_error(&apps, unknown, 400, "PGRST200").await;
    check(&apps, get("toys?select=name&id=eq.1"), 200, r#"[{"name":"train"}]"#).await;
}

/// rest.md 7.10: rows in the order of a column of a to-one embed.
#[tokio::test]
async fn rows_in_the_order_of_a_related_column() {
    let apps = TestApp::each().await;
    rows(
        &apps,
        &[
            (
                "toys?select=id,makers(name)&order=makers(name).desc.nullslast&limit=1",
                r#"[{"id":2,"makers":{"name":"Pine"}}]"#,
            ),
            ("toys?select=id,makers()&order=makers(name).desc", r#"[{"id":3},{"id":2},{"id":1}]"#),
            ("toys?select=id,m:makers()&order=m(name).asc", r#"[{"id":1},{"id":2},{"id":3}]"#),
            ("parts?select=number,toys()&order=toys(price),number.desc", r#"[{"number":2},{"number":1}]"#),
            ("makers?select=toys(id,makers())&toys.order=makers(id)&id=eq.1", r#"[{"toys":[{"id":1}]}]"#),
        ],
    )
    .await;
    for (url, code) in [
        ("toys?select=id,parts(number)&order=parts(number)", "PGRST118"),
        ("toys?select=id&order=makers(name)", "PGRST108"),
        ("toys?select=id,makers(name)&order=makers(nope)", "42703"),
    ] {
        check_error(&apps, get(url), 400, code).await;
    }
}
