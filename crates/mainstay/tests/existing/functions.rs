//! Functions over a database of another program.

use crate::app::Db;

const SQL: &str = "CREATE TABLE Shelf (Id INTEGER PRIMARY KEY, Name TEXT NOT NULL);
    CREATE TABLE Book (Id INTEGER PRIMARY KEY, Title VARCHAR(40), ShelfId INT REFERENCES Shelf);
    INSERT INTO Shelf VALUES (1, 'low'), (2, 'high');
    INSERT INTO Book VALUES (1, 'Emma', 1), (2, 'Ulysses', 2), (3, 'Dracula', 1);";

/// rest.md 13: rows of a found table are filtered, ordered and embedded; a function that writes changes the file.
#[tokio::test]
async fn functions_read_and_write_found_tables() {
    let db = Db::with_queries(
        SQL,
        "",
        "",
        &[
            (
                "on_shelf.sql",
                "--- params.shelf = \"int\"\n--- returns = \"Book\"\nSELECT * FROM Book WHERE ShelfId = :shelf",
            ),
            (
                "rename.sql",
                "--- writes = true\n--- params.id = \"int\"\n--- params.title = \"text\"\nUPDATE Book SET Title = :title WHERE Id = :id",
            ),
        ],
    );
    assert_eq!(
        db.get("rpc/on_shelf?shelf=1&select=Title,Shelf(Name)&Title=neq.Emma").await,
        r#"[{"Title":"Dracula","Shelf":{"Name":"low"}}]"#
    );
    assert_eq!(db.refused("GET", "rpc/on_shelf?shelf=x", "").await, (400, "22P02".to_owned()));
    assert_eq!(db.send("POST", "rpc/rename", &[], r#"{"id":2,"title":"Ulysses II"}"#).await.status, 204);
    assert_eq!(db.get("Book?select=Title&Id=eq.2").await, r#"[{"Title":"Ulysses II"}]"#);
    assert_eq!(db.anonymous("POST", "rpc/rename", r#"{"id":2,"title":"x"}"#).await, 401);
    // The tables change, and the functions are still there, over the tables of now.
    db.other()
        .execute_batch("CREATE TABLE Loan (BookId INT REFERENCES Book, Days INT); INSERT INTO Loan VALUES (1, 14)")
        .unwrap();
    assert_eq!(db.get("Loan?select=Days").await, r#"[{"Days":14}]"#);
    assert_eq!(
        db.get("rpc/on_shelf?shelf=1&select=Title,Loan(Days)&Id=eq.1").await,
        r#"[{"Title":"Emma","Loan":[{"Days":14}]}]"#
    );
}
