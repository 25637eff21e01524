//! Views of found databases: what they inherit, and which can be written.

use crate::api::Api;
use crate::app::on_each;

const TABLES: &str = "
CREATE TABLE bands (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL COMMENT 'as on the cover') COMMENT 'who plays';
CREATE TABLE albums (id int AUTO_INCREMENT PRIMARY KEY, title varchar(50), band_id int NOT NULL,
  FOREIGN KEY (band_id) REFERENCES bands (id));
INSERT INTO bands VALUES (1, 'One'), (2, 'Two');
INSERT INTO albums VALUES (1, 'First', 1), (2, 'Second', 1), (3, 'Third', 2);
CREATE VIEW titles AS SELECT a.id, a.title, a.band_id AS band FROM albums AS a;
CREATE VIEW ones AS SELECT t.id AS number, t.title, t.band FROM titles t WHERE t.band = 1;
CREATE VIEW joined AS SELECT a.id, b.id AS band_id, b.name, upper(a.title) AS loud FROM albums a JOIN bands b ON a.band_id = b.id;
CREATE VIEW counts AS SELECT band_id, count(*) AS n FROM albums GROUP BY band_id;
";

#[tokio::test]
async fn views_inherit_and_simple_ones_are_written() {
    on_each(TABLES, |database| async move {
        let api = Api::over(&database.url()).await;
        let one = r#"[{"title":"First","bands":{"name":"One"}}]"#;
        assert_eq!(api.get("titles?select=title,bands(name)&id=eq.1").await, one);
        assert_eq!(api.get("ones?select=title,bands(name)&number=eq.1").await, one);
        assert_eq!(
            api.get("bands?select=name,titles(title),counts(n)&id=eq.2").await,
            r#"[{"name":"Two","titles":[{"title":"Third"}],"counts":[{"n":1}]}]"#
        );
        assert_eq!(api.get("joined?select=loud,name&order=id&limit=1").await, r#"[{"loud":"FIRST","name":"One"}]"#);
        // What the server can write through is written.
        let made = api.write("POST", "titles?select=title,band", "", r#"{"title":"Fourth","band":2}"#).await;
        assert_eq!(made, r#"[{"title":"Fourth","band":2}]"#);
        assert_eq!(api.get("albums?select=band_id&title=eq.Fourth").await, r#"[{"band_id":2}]"#);
        assert_eq!(api.refused("POST", "counts", r#"{"band_id":1}"#).await, (400, "55000".to_owned()));
        // What people wrote about tables is told.
        let bands = api.project.schema.find("bands").unwrap();
        assert_eq!(bands.description.as_deref(), Some("who plays"));
        assert_eq!(bands.find_column("name").unwrap().description.as_deref(), Some("as on the cover"));
        // And a number that the server counts need not be said.
        assert_eq!(api.write("POST", "bands?select=name", "", r#"{"name":"Three"}"#).await, r#"[{"name":"Three"}]"#);
    })
    .await;
}
