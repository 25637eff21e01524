//! Rows inside rows.

use mainstay_schema::Type;

use super::Open;
use super::kit::Stage;
use super::tables::table;

async fn cinema(open: &dyn Open) -> Stage {
    let tables = [
        table("directors").required("id", Type::Int).required("name", Type::Text).primary("id"),
        table("films")
            .required("id", Type::Int)
            .required("title", Type::Text)
            .optional("director", Type::Int)
            .optional("sequel_to", Type::Int)
            .primary("id")
            .points("director", "directors", "id")
            .points("sequel_to", "films", "id"),
        table("actors").required("id", Type::Int).required("name", Type::Text).primary("id"),
        table("roles")
            .required("film", Type::Int)
            .required("actor", Type::Int)
            .required("part", Type::Text)
            .primary("film actor part")
            .points("film", "films", "id")
            .points("actor", "actors", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("directors", "id name", &["1|Scott", "2|Varda", "3|Nobody"]).await;
    let films = ["1|Alien|1|null", "2|Aliens|1|1", "3|Vagabond|2|null", "4|Lost|null|null", "5|Alien 3|1|2"];
    stage.fill("films", "id title director sequel_to", &films).await;
    stage.fill("actors", "id name", &["1|Weaver", "2|Bonnaire", "3|Idle"]).await;
    stage
        .fill("roles", "film actor part", &["1|1|Ripley", "2|1|Ripley", "3|2|Mona", "2|2|Cat", "5|1|A", "5|1|B"])
        .await;
    stage
}

/// A to-one member is a row, or null where the link is null.
pub async fn to_one_is_a_row_or_null(open: &dyn Open) {
    let stage = cinema(open).await;
    let (films, directors) = (stage.of("films"), stage.of("directors"));
    let director = || films.join("directors", "director=id");
    let expected = "(1,(Scott)) (2,(Scott)) (3,(Varda)) (4,null) (5,(Scott))";
    stage.check(films.read().select("id").one(director(), directors.read().select("name")), expected).await;
    let varda = directors.read().select("name").filter(directors.eq("name", "Varda"));
    let expected = "(1,null) (2,null) (3,(Varda)) (4,null) (5,null)";
    stage.check(films.read().select("id").one(director(), varda), expected).await;
    let twice = films.read().select("id").limit(1);
    let twice = twice.one(director(), directors.read().select("id")).one(director(), directors.read().select("name"));
    stage.check(twice, "(1,(1),(Scott))").await;
}

/// A to-many member is a list, empty where nothing is linked.
pub async fn to_many_is_a_list(open: &dyn Open) {
    let stage = cinema(open).await;
    let (films, directors) = (stage.of("films"), stage.of("directors"));
    let works = directors.join("films", "id=director");
    let read = directors.read().select("name").many(works.clone(), films.read().select("title"));
    stage.check(read, "(Scott,[(Alien) (Aliens) (Alien 3)]) (Varda,[(Vagabond)]) (Nobody,[])").await;
    let deep = films.read().select("id").many(
        films.join("roles", "id=film"),
        stage
            .of("roles")
            .read()
            .select("part")
            .one(stage.of("roles").join("actors", "actor=id"), stage.of("actors").read().select("name")),
    );
    let read = directors.read().select("id").filter(directors.eq("id", "1")).many(works, deep);
    let expected =
        "(1,[(1,[(Ripley,(Weaver))]) (2,[(Ripley,(Weaver)) (Cat,(Bonnaire))]) (5,[(A,(Weaver)) (B,(Weaver))])])";
    stage.check(read, expected).await;
}

/// Both directions of a reference from a table to itself, and two levels of it.
pub async fn a_table_with_itself(open: &dyn Open) {
    let stage = cinema(open).await;
    let films = stage.of("films");
    let (before, after) = (films.join("films", "sequel_to=id"), films.join("films", "id=sequel_to"));
    let read = films.read().select("id").one(before.clone(), films.read().select("id"));
    stage.check(read, "(1,null) (2,(1)) (3,null) (4,null) (5,(2))").await;
    let read = films.read().select("id").many(after, films.read().select("id"));
    stage.check(read, "(1,[(2)]) (2,[(5)]) (3,[]) (4,[]) (5,[])").await;
    let inner = films.read().select("id").one(before.clone(), films.read().select("id"));
    let read = films.read().select("id").filter(films.eq("id", "5")).one(before, inner);
    stage.check(read, "(5,(2,(1)))").await;
}

/// Many to many; a row that is linked twice comes twice, as in a join.
pub async fn through_a_junction(open: &dyn Open) {
    let stage = cinema(open).await;
    let (films, actors) = (stage.of("films"), stage.of("actors"));
    let cast = films.through("roles", "id=film", "actors", "actor=id");
    let read = films.read().select("id").many(cast, actors.read().select("name"));
    let expected = "(1,[(Weaver)]) (2,[(Weaver) (Bonnaire)]) (3,[(Bonnaire)]) (4,[]) (5,[(Weaver) (Weaver)])";
    stage.check(read, expected).await;
    let work = actors.through("roles", "id=actor", "films", "film=id");
    let read = actors.read().select("name").many(work, films.read().select("id").order("id desc").limit(2));
    stage.check(read, "(Weaver,[(5) (5)]) (Bonnaire,[(3) (2)]) (Idle,[])").await;
}

/// All columns of a key count, and one null among them links nothing.
pub async fn composite_keys(open: &dyn Open) {
    let tables = [
        table("rooms").required("house", Type::Text).required("number", Type::Int).primary("house number"),
        table("beds")
            .required("id", Type::Int)
            .optional("house", Type::Text)
            .optional("number", Type::Int)
            .primary("id")
            .points("house number", "rooms", "house number"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("rooms", "house number", &["a|1", "a|2", "b|1"]).await;
    stage.fill("beds", "id house number", &["1|a|1", "2|a|1", "3|b|1", "4|null|1", "5|a|null"]).await;
    let (rooms, beds) = (stage.of("rooms"), stage.of("beds"));
    let read = rooms.read().many(rooms.join("beds", "house=house number=number"), beds.read().select("id"));
    stage.check(read, "(a,1,[(1) (2)]) (a,2,[]) (b,1,[(3)])").await;
    let read = beds.read().select("id").one(beds.join("rooms", "house=house number=number"), rooms.read());
    stage.check(read, "(1,(a,1)) (2,(a,1)) (3,(b,1)) (4,null) (5,null)").await;
}

/// A unique foreign key gives one row in either direction.
pub async fn one_to_one_both_ways(open: &dyn Open) {
    let tables = [
        table("users").required("id", Type::Uuid).required("name", Type::Text).primary("id"),
        table("profiles")
            .required("user", Type::Uuid)
            .required("bio", Type::Text)
            .primary("user")
            .points("user", "users", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    let (a, b) = ("0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002");
    stage.fill("users", "id name", &[&format!("{a}|ann"), &format!("{b}|bob")]).await;
    stage.fill("profiles", "user bio", &[&format!("{a}|hello")]).await;
    let (users, profiles) = (stage.of("users"), stage.of("profiles"));
    let read = users.read().select("name").one(users.join("profiles", "id=user"), profiles.read().select("bio"));
    stage.check(read, "(ann,(hello)) (bob,null)").await;
    let read = profiles.read().select("bio").one(profiles.join("users", "user=id"), users.read().select("name"));
    stage.check(read, "(hello,(ann))").await;
}

/// Filter, order, offset and limit of an embed hold for each parent by itself.
pub async fn pages_and_filters_inside(open: &dyn Open) {
    let stage = cinema(open).await;
    let (films, directors) = (stage.of("films"), stage.of("directors"));
    let works = || directors.join("films", "id=director");
    let inner = || films.read().select("title");
    for (inner, expected) in [
        (inner().limit(1), "(Scott,[(Alien)]) (Varda,[(Vagabond)]) (Nobody,[])"),
        (inner().order("title desc").limit(2), "(Scott,[(Aliens) (Alien 3)]) (Varda,[(Vagabond)]) (Nobody,[])"),
        (inner().offset(1), "(Scott,[(Aliens) (Alien 3)]) (Varda,[]) (Nobody,[])"),
        (inner().offset(1).limit(1), "(Scott,[(Aliens)]) (Varda,[]) (Nobody,[])"),
        (inner().limit(0), "(Scott,[]) (Varda,[]) (Nobody,[])"),
        (inner().filter(films.like("title", "%s", true)), "(Scott,[(Aliens)]) (Varda,[]) (Nobody,[])"),
        (
            inner().filter(films.exists(films.join("films", "sequel_to=id"), "films", films.eq("id", "1"))),
            "(Scott,[(Aliens)]) (Varda,[]) (Nobody,[])",
        ),
    ] {
        stage.check(directors.read().select("name").many(works(), inner), expected).await;
    }
    let outer = directors.read().select("name").order("name desc").limit(2).count();
    let found = stage.read(outer.many(works(), inner().limit(1))).await;
    assert_eq!(found.total, Some(3), "an embed does not change the count of parents");
}
