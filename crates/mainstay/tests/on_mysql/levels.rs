//! What belongs to rows, where it is little in all and where it is much: the server numbers rows only there.

use serde_json::Value;

use crate::api::Api;
use crate::app::on_each;

/// The first band has 10,050 songs, more than are read of all bands to be cut here; the second has five, the third none.
const TABLES: &str = "
CREATE TABLE bands (id int PRIMARY KEY);
CREATE TABLE songs (id int PRIMARY KEY, band_id int NOT NULL, FOREIGN KEY (band_id) REFERENCES bands (id));
CREATE TABLE digits (n int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
INSERT INTO bands VALUES (1), (2), (3);
INSERT INTO songs SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 1, 1 FROM digits a, digits b, digits c, digits d;
INSERT INTO songs SELECT 10001 + a.n + 10 * b.n, 1 FROM digits a, digits b WHERE b.n < 5;
INSERT INTO songs SELECT 20000 + n, 2 FROM digits WHERE n < 5;
";

/// The numbers of the songs of each band.
async fn songs(api: &Api, query: &str) -> Vec<Vec<i64>> {
    let bands: Value = serde_json::from_str(&api.get(query).await).unwrap();
    let of = |band: &Value| band["songs"].as_array().unwrap().iter().map(|song| song["id"].as_i64().unwrap()).collect();
    bands.as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn each_row_has_its_own_page_of_what_belongs_to_it() {
    on_each(TABLES, |database| async move {
        let api = Api::over(&database.url()).await;
        let few: Vec<i64> = (20_000..20_005).collect();
        let all = songs(&api, "bands?select=id,songs(id)&order=id&songs.order=id.desc").await;
        assert_eq!(all, [(9_051..=10_050).rev().collect(), few.iter().rev().copied().collect(), vec![]]);
        for (bounds, first, second) in [
            ("songs.limit=150", 1..151, 0..5),
            ("songs.limit=150&songs.offset=3", 4..154, 3..5),
            ("songs.limit=2&songs.offset=4", 5..7, 4..5),
            ("songs.offset=200", 201..1_201, 5..5),
        ] {
            let page = format!("bands?select=id,songs(id)&order=id&songs.order=id&{bounds}");
            let expected = [first.collect(), few[second.clone()].to_vec(), vec![]];
            assert_eq!(songs(&api, &page).await, expected, "{bounds}");
            // The same without the band that has many, and of that one alone.
            assert_eq!(songs(&api, &format!("{page}&id=gt.1")).await, expected[1..], "{bounds}");
            assert_eq!(songs(&api, &format!("{page}&id=eq.1")).await, expected[..1], "{bounds}");
        }
    })
    .await;
}
