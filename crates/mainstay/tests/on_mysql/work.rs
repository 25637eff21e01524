//! What both servers expect of a read: shown by `explain`, and refused above a limit.

use crate::app::on_each;
use crate::support::Folder;
use crate::works::{MOST, is_guarded};

/// Twenty thousand rows, and few.
fn tables(is_mariadb: bool) -> String {
    let depth =
        if is_mariadb { "SET max_recursive_iterations = 100000;" } else { "SET cte_max_recursion_depth = 100000;" };
    format!(
        "{depth}
         CREATE TABLE big (id int PRIMARY KEY, b int, c int NOT NULL);
         CREATE TABLE small (id int PRIMARY KEY, big int, FOREIGN KEY (big) REFERENCES big (id));
         INSERT INTO big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
           SELECT i, i % 1000, i FROM n;
         INSERT INTO small SELECT id, id FROM big WHERE id <= 50;
         ANALYZE TABLE big, small"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_of_each_server_is_asked() {
    on_each("", |database| async move {
        database.run(&tables(database.product() == "MariaDB")).await;
        let (url, folder) = (database.url(), Folder::new());
        let work = |path: &str| {
            let (path, limit) = (format!("/rest/v1/{path}"), format!("limits.examined_rows_service={MOST}"));
            let explain = ["explain", "GET", &path, "--store", &url, "--set", &limit, "--json"];
            folder.run(&explain).succeeds().json()["work"].as_str().unwrap().to_owned()
        };
        for passes in [
            "big?id=eq.7",
            "big?limit=10",
            "big?order=id.desc&limit=10",
            "big?id=gt.500",
            "big?id=in.(1,2,3)&b=eq.1",
            "small?order=big",
            "big?id=lt.20&select=id,small(id)",
            "small?select=id,big(b)",
            "small?select=id,big(b)&order=big(b)",
        ] {
            let told = work(passes);
            assert!(told.ends_with("passes, limits.examined_rows_service is 2000"), "{passes}: {told}");
        }
        for (refused, index) in [
            ("big?b=eq.7", "; an index on big (b) would help"),
            // Whatever the planner hopes for: without such rows it looks at all.
            ("big?b=eq.7&limit=1", "; an index on big (b) would help"),
            ("big?order=c&limit=10", "; an index on big (c) would help"),
            ("big?select=id,small(id)&b=eq.7", "; an index on big (b) would help"),
            ("big?or=(b.eq.1,c.eq.2)", ""),
            ("big?select=id&order=id&b=gte.0", "; an index on big (b) would help"),
        ] {
            let told = work(refused);
            let expected = format!("refused, limits.examined_rows_service is 2000{index}");
            assert!(told.ends_with(&expected), "{refused}: {told}");
        }
        // Rows are sorted before others are joined to those that are shown.
        let joined: u64 =
            work("small?select=id,big(b)&order=id&limit=5&id=gt.0").split(' ').nth(3).unwrap().parse().unwrap();
        assert!(joined <= 100, "{joined}");
        let rows: u64 = work("big?b=eq.7").split(' ').nth(3).unwrap().parse().unwrap();
        assert!((18_000..22_000).contains(&rows), "{rows}");
        database.run("CREATE INDEX big_b ON big (b); CREATE INDEX big_c ON big (c, id); ANALYZE TABLE big").await;
        for passes in ["big?b=eq.7", "big?b=eq.7&limit=1", "big?order=c&limit=10", "big?b=eq.7&c=gt.5"] {
            assert!(work(passes).contains("passes"), "{passes}: {}", work(passes));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_work_is_refused_before_anything_is_changed() {
    on_each("", |database| async move {
        database.run(&tables(database.product() == "MariaDB")).await;
        is_guarded(&database.url()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_by_key_begin_where_the_last_one_ended() {
    on_each("", |database| async move {
        database.run(&tables(database.product() == "MariaDB")).await;
        database
            .run("ALTER TABLE big MODIFY b int NOT NULL; CREATE INDEX big_b ON big (b, id); ANALYZE TABLE big")
            .await;
        let folder = tempfile::tempdir().unwrap();
        let limits = [("limits", "examined_rows_service", MOST)];
        let api = crate::api::Api::with(folder.path(), &database.url(), &limits).await;
        let mut seen = Vec::new();
        let mut after = String::new();
        for _ in 0..3 {
            let path = format!("big?select=b,id&order=b,id&limit=7&after={after}");
            let reply = api.send("GET", &path, &[], "").await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            let rows: Vec<serde_json::Value> = serde_json::from_str(&reply.body).unwrap();
            seen.extend(rows.iter().map(|row| (row["b"].as_i64().unwrap(), row["id"].as_i64().unwrap())));
            after = reply.headers["next-after"].to_str().unwrap().to_owned();
        }
        let expected: Vec<(i64, i64)> = (1..=20).map(|n| (0, n * 1000)).chain([(1, 1)]).collect();
        assert_eq!(seen, expected);
    })
    .await;
}
