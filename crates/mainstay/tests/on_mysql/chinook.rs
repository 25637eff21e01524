//! The Chinook database, as its own script makes it: found, and served in a folder without files.

use std::io::Read;
use std::path::Path;

use crate::api::Api;
use crate::app::on_each;

/// The statements that make the tables and fill them; `None` where the data set is not beside the workspace.
fn script() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook_mysql.sql.gz");
    let mut octets = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_end(&mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    // What comes before makes a database of that name.
    Some(text.split_once("USE `Chinook`;").unwrap().1.to_owned())
}

#[tokio::test]
async fn an_empty_folder_serves_a_database_that_was_found() {
    let Some(script) = script() else {
        return eprintln!("not run: the Chinook database is not beside the workspace");
    };
    let more = "CREATE VIEW LongTrack AS SELECT t.TrackId AS id, t.Name, t.AlbumId AS Album FROM Track t WHERE t.Milliseconds > 300000";
    on_each(&format!("{script}{more}"), |database| async move {
        let api = Api::over(&database.url()).await;
        let tables = api.project.schema.tables();
        assert_eq!(tables.iter().filter(|table| !table.internal).count(), 12, "eleven tables and a view");

        assert_eq!(
            api.get("Invoice?select=InvoiceDate,Total,BillingState&InvoiceId=eq.1").await,
            r#"[{"InvoiceDate":"2021-01-01T00:00:00","Total":1.98,"BillingState":null}]"#
        );
        // Down through nine tables, many to many among them, and up again.
        let rows = api
            .json(
                "Artist?select=Name,Album(Title,Track(Name,Genre(Name),MediaType(Name),Playlist(Name),\
                 InvoiceLine(Quantity,Invoice(InvoiceDate))))&ArtistId=eq.1",
            )
            .await;
        let track = &rows[0]["Album"][0]["Track"][0];
        assert_eq!((&rows[0]["Name"], &track["Genre"]["Name"]), (&"AC/DC".into(), &"Rock".into()));
        assert!(track["Playlist"].as_array().unwrap().iter().any(|list| list["Name"] == "Music"), "{track}");
        let rows = api
            .json(
                "InvoiceLine?select=Invoice(Customer(LastName,Employee(LastName))),Track(Album(Artist(Name)))&limit=1",
            )
            .await;
        assert!(rows[0]["Invoice"]["Customer"]["Employee"]["LastName"].is_string(), "{rows}");
        assert!(rows[0]["Track"]["Album"]["Artist"]["Name"].is_string(), "{rows}");
        let rows =
            api.json("Employee?select=LastName,ReportsTo(LastName),Employee!ReportsTo(LastName)&EmployeeId=eq.2").await;
        assert_eq!(rows[0]["ReportsTo"]["LastName"], "Adams");
        assert_eq!(rows[0]["Employee"].as_array().unwrap().len(), 3);
        // A view has the reference of the column that it shows.
        assert!(api.json("LongTrack?select=Name,Album(Title)&order=id&limit=1").await[0]["Album"]["Title"].is_string());
        let reply = api.send("GET", "Track?limit=1", &[("prefer", "count=exact")], "").await;
        assert_eq!((reply.status, reply.headers["content-range"].to_str().unwrap()), (206, "0-0/3503"));
        assert_eq!(
            api.get("Track?select=Name&Milliseconds=gt.5000000&order=Milliseconds.desc&UnitPrice=gte.1.5").await,
            r#"[{"Name":"Occupation / Precipice"},{"Name":"Through a Looking Glass"}]"#
        );
        // Only the secret key may do anything.
        assert_eq!(api.anonymous("GET", "Artist", "").await, 401);
        assert_eq!(
            api.write("POST", "Artist", "", r#"{"ArtistId":999,"Name":"Nobody"}"#).await,
            r#"[{"ArtistId":999,"Name":"Nobody"}]"#
        );
        assert_eq!(
            api.write("PATCH", "Artist?ArtistId=eq.999", "", r#"{"Name":"Somebody"}"#).await,
            r#"[{"ArtistId":999,"Name":"Somebody"}]"#
        );
        let merged = r#"[{"ArtistId":999,"Name":"Merged"},{"ArtistId":1000,"Name":"New"}]"#;
        assert_eq!(api.write("POST", "Artist?order=ArtistId", "resolution=merge-duplicates", merged).await, merged);
        assert_eq!(api.refused("POST", "Artist", r#"{"ArtistId":999}"#).await, (409, "23505".to_owned()));
        assert_eq!(api.refused("DELETE", "Artist?ArtistId=eq.1", "").await, (409, "23503".to_owned()));
        assert_eq!(
            api.write("DELETE", "Artist?ArtistId=gte.999&select=ArtistId&order=ArtistId", "", "").await,
            r#"[{"ArtistId":999},{"ArtistId":1000}]"#
        );
    })
    .await;
}

#[tokio::test]
async fn tables_that_others_change_are_followed() {
    let notes = "CREATE TABLE notes (id int PRIMARY KEY, text text, gone text)";
    on_each(notes, |database| async move {
        let api = Api::over(&database.url()).await;
        assert_eq!(
            api.write("POST", "notes", "", r#"{"id":1,"text":"a"}"#).await,
            r#"[{"id":1,"text":"a","gone":null}]"#
        );
        // What is taken away is noticed by the first statement that fails.
        database.run("ALTER TABLE notes DROP COLUMN gone").await;
        let (status, body) = api.refused("GET", "notes?select=id,gone", "").await;
        assert!(status == 503 || (status, body.as_str()) == (400, "42703"), "{status} {body}");
        assert_eq!(api.refused("GET", "notes?select=id,gone", "").await, (400, "42703".to_owned()));
        assert_eq!(api.get("notes").await, r#"[{"id":1,"text":"a"}]"#);
        // What is added is served after a moment.
        database
            .run("CREATE TABLE more (id int PRIMARY KEY, note_id int, FOREIGN KEY (note_id) REFERENCES notes (id))")
            .await;
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while api.send("GET", "more?select=id,notes(text)", &[], "").await.status != 200 {
            assert!(std::time::Instant::now() < end, "the new table is not served");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
}
