//! The Chinook database, as its own script makes it: found, and served in a folder without files.

use std::io::Read;
use std::path::Path;

use crate::api::Api;
use crate::app::Database;

/// The statements that make the tables and fill them; `None` where the data set is not beside the workspace.
fn script() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook_postgresql.sql.gz");
    let mut octets = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_end(&mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    // What comes before is for psql.
    Some(text.split_once("\\c chinook;").unwrap().1.to_owned())
}

#[tokio::test]
async fn an_empty_folder_serves_a_database_that_was_found() {
    let Some(script) = script() else {
        return eprintln!("not run: the Chinook database is not beside the workspace");
    };
    let more = "CREATE VIEW long_track AS SELECT track_id AS id, name, album_id AS album FROM track WHERE milliseconds > 300000;";
    let database = Database::new(&format!("{script};{more}")).await;
    let api = Api::over(&database.url()).await;
    let tables = api.project.schema.tables();
    assert_eq!(tables.iter().filter(|table| !table.internal).count(), 12, "eleven tables and a view");

    assert_eq!(
        api.get("invoice?select=invoice_date,total,billing_state&invoice_id=eq.1").await,
        r#"[{"invoice_date":"2021-01-01T00:00:00","total":1.98,"billing_state":null}]"#
    );
    // Down through nine tables, many to many among them, and up again.
    let rows = api
        .json(
            "artist?select=name,album(title,track(name,genre(name),media_type(name),playlist(name),\
             invoice_line(quantity,invoice(invoice_date))))&artist_id=eq.1",
        )
        .await;
    let track = &rows[0]["album"][0]["track"][0];
    assert_eq!((&rows[0]["name"], &track["genre"]["name"]), (&"AC/DC".into(), &"Rock".into()));
    assert!(track["playlist"].as_array().unwrap().iter().any(|list| list["name"] == "Music"), "{track}");
    let rows = api
        .json("invoice_line?select=invoice(customer(last_name,employee(last_name))),track(album(artist(name)))&limit=1")
        .await;
    assert!(rows[0]["invoice"]["customer"]["employee"]["last_name"].is_string(), "{rows}");
    assert!(rows[0]["track"]["album"]["artist"]["name"].is_string(), "{rows}");
    let rows = api
        .json("employee?select=last_name,reports_to(last_name),employee!reports_to(last_name)&employee_id=eq.2")
        .await;
    assert_eq!(rows[0]["reports_to"]["last_name"], "Adams");
    assert_eq!(rows[0]["employee"].as_array().unwrap().len(), 3);
    // A view has the reference of the column that it shows.
    assert!(api.json("long_track?select=name,album(title)&order=id&limit=1").await[0]["album"]["title"].is_string());
    let reply = api.send("GET", "track?limit=1", &[("prefer", "count=exact")], "").await;
    assert_eq!((reply.status, reply.headers["content-range"].to_str().unwrap()), (206, "0-0/3503"));
    // Only the secret key may do anything.
    assert_eq!(api.anonymous("GET", "artist", "").await, 401);
    assert_eq!(
        api.write("POST", "artist", "", r#"{"artist_id":999,"name":"Nobody"}"#).await,
        r#"[{"artist_id":999,"name":"Nobody"}]"#
    );
    assert_eq!(api.refused("POST", "artist", r#"{"artist_id":999}"#).await, (409, "23505".to_owned()));
    assert_eq!(api.refused("DELETE", "artist?artist_id=eq.1", "").await, (409, "23503".to_owned()));
}

#[tokio::test]
async fn tables_that_others_change_are_followed() {
    let database = Database::new("CREATE TABLE notes (id int PRIMARY KEY, text text, gone text)").await;
    let api = Api::over(&database.url()).await;
    assert_eq!(api.write("POST", "notes", "", r#"{"id":1,"text":"a"}"#).await, r#"[{"id":1,"text":"a","gone":null}]"#);
    // What is taken away is noticed by the first statement that fails.
    database.run("ALTER TABLE notes DROP COLUMN gone").await;
    let (status, body) = api.refused("GET", "notes?select=id,gone", "").await;
    assert!(status == 503 || (status, body.as_str()) == (400, "42703"), "{status} {body}");
    assert_eq!(api.refused("GET", "notes?select=id,gone", "").await, (400, "42703".to_owned()));
    assert_eq!(api.get("notes").await, r#"[{"id":1,"text":"a"}]"#);
    // What is added is served after a moment.
    database.run("CREATE TABLE more (id int PRIMARY KEY, note_id int REFERENCES notes)").await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while api.send("GET", "more?select=id,notes(text)", &[], "").await.status != 200 {
        assert!(std::time::Instant::now() < end, "the new table is not served");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
