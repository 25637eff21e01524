//! The Chinook database: every table, embeds across all eleven in both directions, views on top, writes.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use crate::app::Db;

/// The statements of the data set beside the workspace; `None` where it is not there.
fn script() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook_sqlite.sql.gz");
    let file = std::fs::File::open(path).ok()?;
    let mut octets = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    Some(text.trim_start_matches('\u{feff}').to_owned())
}

/// One transaction around the script, which would else flush for each of its thousands of statements.
fn chinook(more: &str) -> Option<Db> {
    let script = script()?;
    Some(Db::of(&format!("PRAGMA synchronous = off; BEGIN; {script}; {more}; COMMIT;")))
}

macro_rules! chinook_or_return {
    ($more:expr) => {
        match chinook($more) {
            Some(db) => db,
            None => return eprintln!("not run: the Chinook database is not beside the workspace"),
        }
    };
}

#[tokio::test]
async fn every_table_is_served_with_all_its_rows() {
    let db = chinook_or_return!("");
    let other = db.other();
    let tables = [
        "Album",
        "Artist",
        "Customer",
        "Employee",
        "Genre",
        "Invoice",
        "InvoiceLine",
        "MediaType",
        "Playlist",
        "PlaylistTrack",
        "Track",
    ];
    for table in tables {
        let rows: i64 = other.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        let reply = db.send("GET", &format!("{table}?limit=1"), &[("prefer", "count=exact")], "").await;
        assert_eq!((reply.status, reply.range), (206, format!("0-0/{rows}")), "{table}");
    }
    // As it is kept: text of dates untouched, decimals as numbers, null as null.
    assert_eq!(
        db.get("Invoice?select=InvoiceDate,Total,BillingState&InvoiceId=eq.1").await,
        r#"[{"InvoiceDate":"2021-01-01 00:00:00","Total":1.98,"BillingState":null}]"#
    );
    assert_eq!(
        db.json("Track?select=TrackId&UnitPrice=gt.1.5&limit=3&order=TrackId").await.as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn embeds_go_through_all_eleven_tables_in_both_directions() {
    let db = chinook_or_return!("");
    // Down: artist → albums → tracks → lines → invoice → customer → employee → his boss.
    let rows = db
        .json(
            "Artist?select=Name,Album(Title,Track(Name,Genre(Name),MediaType(Name),Playlist(Name),\
             InvoiceLine(Quantity,Invoice(InvoiceDate))))&ArtistId=eq.1",
        )
        .await;
    let track = &rows[0]["Album"][0]["Track"][0];
    assert_eq!(rows[0]["Name"], "AC/DC");
    assert_eq!(track["Genre"]["Name"], "Rock");
    assert!(track["MediaType"]["Name"].as_str().unwrap().contains("MPEG"));
    assert!(track["Playlist"].as_array().unwrap().iter().any(|list| list["Name"] == "Music"), "{track}");
    assert!(track["InvoiceLine"][0]["Invoice"]["InvoiceDate"].is_string());
    // And up.
    let rows = db
        .json("InvoiceLine?select=Invoice(Customer(LastName,Employee(LastName))),Track(Album(Artist(Name)))&limit=1")
        .await;
    assert!(rows[0]["Invoice"]["Customer"]["Employee"]["LastName"].is_string());
    assert!(rows[0]["Track"]["Album"]["Artist"]["Name"].is_string());
    // Many to many through the junction, and the junction itself.
    let lists = db.json("Playlist?select=Name,Track(TrackId)&PlaylistId=eq.18").await;
    let own: i64 =
        db.other().query_row("SELECT count(*) FROM PlaylistTrack WHERE PlaylistId = 18", [], |row| row.get(0)).unwrap();
    assert_eq!(lists[0]["Track"].as_array().unwrap().len() as i64, own);
    let rows = db.json("PlaylistTrack?select=Playlist(Name),Track(Name)&PlaylistId=eq.18").await;
    assert_eq!(rows[0]["Track"]["Name"], "Now's The Time");
    // An employee's boss by the column, his people by the name of the table.
    let rows =
        db.json("Employee?select=LastName,ReportsTo(LastName),Employee!ReportsTo(LastName)&EmployeeId=eq.2").await;
    assert_eq!(rows[0]["ReportsTo"]["LastName"], "Adams");
    assert_eq!(rows[0]["Employee"].as_array().unwrap().len(), 3);
    // Genres, media types and employees lead back as well.
    assert_eq!(
        db.json("Genre?select=Name,Track(count:TrackId)&Name=eq.Opera").await[0]["Track"].as_array().unwrap().len(),
        1
    );
    assert!(!db.json("MediaType?select=Track(TrackId)&limit=1").await[0]["Track"].as_array().unwrap().is_empty());
    assert!(
        !db.json("Employee?select=Customer(CustomerId)&EmployeeId=eq.3").await[0]["Customer"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // Only artists with an album that has a title like this.
    let rows = db.json("Artist?select=Name,Album!inner(Title)&Album.Title=like.*Rock*&order=Name&limit=2").await;
    assert_eq!(rows[0]["Name"], "AC/DC");
}

#[tokio::test]
async fn views_inherit_keys_and_references() {
    let db = chinook_or_return!(
        "CREATE VIEW long_track AS SELECT TrackId AS id, Name, AlbumId AS album, Milliseconds / 60000 AS minutes
           FROM Track WHERE Milliseconds > 300000;
         CREATE VIEW longer AS SELECT id, album FROM long_track WHERE minutes > 10;
         CREATE VIEW sales AS SELECT t.TrackId AS track, count(*) AS sold, sum(l.UnitPrice * l.Quantity) AS earned
           FROM InvoiceLine l JOIN Track t USING (TrackId) GROUP BY t.TrackId;
         CREATE VIEW broken AS SELECT x FROM nowhere"
    );
    // From the view to the table, from the table to the view, through a view of a view, between views.
    let rows = db.json("long_track?select=Name,minutes,Album(Title)&order=id&limit=1").await;
    assert!(rows[0]["Album"]["Title"].is_string() && rows[0]["minutes"].is_i64(), "{rows}");
    let rows = db.json("Album?select=Title,long_track(Name)&AlbumId=eq.1").await;
    assert!(!rows[0]["long_track"].as_array().unwrap().is_empty());
    let rows = db.json("longer?select=id,Album(Artist(Name))&order=id&limit=1").await;
    assert!(rows[0]["Album"]["Artist"]["Name"].is_string());
    let rows = db.json("InvoiceLine?select=long_track(Name)&long_track=not.is.null&limit=1").await;
    assert!(rows[0]["long_track"]["Name"].is_string());
    // Computed columns compare as what they are.
    let all: Vec<Value> =
        db.json("sales?select=track,sold&sold=gte.2&order=sold.desc").await.as_array().unwrap().clone();
    assert!(!all.is_empty() && all.iter().all(|row| row["sold"].as_i64().unwrap() >= 2));
    let exact = db.json("sales?select=sold&sold=eq.2").await.as_array().unwrap().len();
    assert_eq!(exact, all.iter().filter(|row| row["sold"] == json!(2)).count());
    assert!(db.json("sales?select=earned&earned=gt.3.5&limit=1").await[0]["earned"].as_f64().unwrap() > 3.5);
    // A view is read only, and one that does not run is not there.
    assert_eq!(db.refused("DELETE", "sales?track=eq.1", "").await, (400, "55000".to_owned()));
    assert_eq!(db.refused("GET", "broken", "").await, (404, "PGRST205".to_owned()));
    // `AlbumId` means the table and not a view of it.
    assert!(db.json("Track?select=AlbumId(Title)&limit=1").await[0]["AlbumId"]["Title"].is_string());
}

#[tokio::test]
async fn rows_are_written_by_the_rules_of_the_file() {
    let db = chinook_or_return!("");
    assert_eq!(db.write("POST", "Artist", r#"{"Name":"Nobody"}"#).await, r#"[{"ArtistId":276,"Name":"Nobody"}]"#);
    let made = db.write("POST", "Album?select=Title,Artist(Name)", r#"{"Title":"None","ArtistId":276}"#).await;
    assert_eq!(made, r#"[{"Title":"None","Artist":{"Name":"Nobody"}}]"#);
    assert_eq!(db.refused("POST", "Album", r#"{"Title":"x","ArtistId":9999}"#).await, (409, "23503".to_owned()));
    assert_eq!(db.refused("POST", "Album", r#"{"Title":null,"ArtistId":1}"#).await, (400, "23502".to_owned()));
    assert_eq!(db.refused("DELETE", "Artist?ArtistId=eq.276", "").await, (409, "23503".to_owned()));
    assert_eq!(
        db.write("PATCH", "Artist?ArtistId=eq.276&select=Name", r#"{"Name":"Some"}"#).await,
        r#"[{"Name":"Some"}]"#
    );
    assert_eq!(db.write("DELETE", "Album?ArtistId=eq.276&select=Title", "").await, r#"[{"Title":"None"}]"#);
    // The composite key of the junction.
    assert_eq!(
        db.refused("POST", "PlaylistTrack", r#"{"PlaylistId":18,"TrackId":597}"#).await,
        (409, "23505".to_owned())
    );
    // Nothing but rows changed: no table of ours, no statistics, the journal as it was.
    let other = db.other();
    let ours: i64 = other
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%mainstay%' OR name LIKE 'sqlite_stat%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mode: String = other.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!((ours, mode.as_str()), (0, "delete"));
}
