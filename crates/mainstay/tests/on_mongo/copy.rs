//! `mainstay copy` to MongoDB and back, from files and from another server; files in Extended JSON.

use crate::api::Api;
use crate::app::Database;
use crate::copies::{
    ROWS, TABLES, answers, are_equal, chinook, chinook_goes_and_comes_back, copy, retail_goes_and_comes_back,
};
use crate::postgres;
use crate::support::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_there_and_back() {
    chinook_goes_and_comes_back(&Database::new().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retail_data_goes_there_and_back() {
    retail_goes_and_comes_back(&Database::new().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_to_another_server_and_back() {
    let folder = Folder::new();
    let Some(file) = chinook(&folder) else {
        return eprintln!("not run: the Chinook database is not beside the workspace");
    };
    let (database, other, again) = (Database::new(), postgres::Database::new("").await, Database::new());
    let first = answers(&file, &TABLES, ROWS).await;
    copy(&folder, &file, &database.url(), &TABLES);
    copy(&folder, &database.url(), &other.url(), &TABLES);
    are_equal(&first, &answers(&other.url(), &TABLES, ROWS).await, "on PostgreSQL");
    copy(&folder, &other.url(), &again.url(), &TABLES);
    are_equal(&first, &answers(&again.url(), &TABLES, ROWS).await, "and back");
    // What the database cannot tell is remembered: names of keys, and what refers to what.
    let api = Api::over(&again.url()).await;
    assert_eq!(
        api.get("Album?select=AlbumId,Title,Artist(Name)&AlbumId=eq.1").await,
        r#"[{"AlbumId":1,"Title":"For Those About To Rock We Salute You","Artist":{"Name":"AC/DC"}}]"#
    );
    api.close().await;
}

#[test]
fn extended_json_comes_in_and_goes_out() {
    let folder = Folder::new();
    let database = Database::new();
    let tables = "[events.fields]\nid = { type = \"objectid\", primary = true }\nkind = \"text\"\nat = \"timestamp\"\n\
                  price = \"decimal(10,2)\"\nsize = \"bigint\"\ntoken = \"uuid\"\nraw = \"bytes\"\nmore = \"json\"\n";
    std::fs::create_dir(folder.file("schema")).unwrap();
    std::fs::write(folder.file("schema/events.toml"), tables).unwrap();
    std::fs::write(folder.file("mainstay.toml"), "").unwrap();
    let line = concat!(
        r#"{"_id":{"$oid":"65a0b1c2d3e4f5061728394a"},"kind":"paid","at":{"$date":"2026-11-27T10:00:00.250Z"},"#,
        r#""price":{"$numberDecimal":"12.50"},"size":{"$numberLong":"9007199254740993"},"#,
        r#""token":{"$binary":{"base64":"AZCAAAAAcACAAAAAAAAAAQ==","subType":"04"}},"#,
        r#""raw":{"$binary":{"base64":"AQL/","subType":"00"}},"more":{"n":1.50,"list":[null,"x"]}}"#,
    );
    // What mongoexport writes for numbers inside of documents comes as plain numbers.
    let written = line.replace(r#""n":1.50"#, r#""n":{"$numberDecimal":"1.50"}"#);
    std::fs::write(folder.file("events.extjson"), format!("{written}\n{{\"_id\":{{\"$minKey\":1}}}}\n")).unwrap();
    let url = database.url();
    let import = ["import", "events", "events.extjson", "."];
    let told = folder.run(&import).env("DATABASE_URL", &url);
    let told = told.exits(1);
    assert!(told.stdout.contains("1 row"), "{} {}", told.stdout, told.stderr);
    assert!(told.stderr.contains("events.extjson:2: a value of the type $minKey has no form here"), "{}", told.stderr);
    let out = folder.run(&["export", "events", ".", "--format", "extended-json"]).env("DATABASE_URL", &url);
    let out = out.succeeds().stdout;
    assert_eq!(
        out.trim_end().replace(".25Z", ".250Z"),
        line.replace(r#""more":{"n":1.50,"list":"#, r#""more":{"list":"#)
            .replace(r#"[null,"x"]}"#, r#"[null,"x"],"n":1.50}"#)
    );
}
