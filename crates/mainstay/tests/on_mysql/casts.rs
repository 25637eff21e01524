//! Casts inside of groups, which a server itself would make of anything.

use crate::api::Api;
use crate::app::on_each;

const TABLES: &str = r#"
CREATE TABLE t (id int PRIMARY KEY, n int, big bigint, f double, d decimal(12,4), x varchar(20), ok tinyint(1), octets varbinary(9),
  at timestamp(6) NULL, hour time(6), doc json);
INSERT INTO t VALUES
  (1, 5, 9007199254740993, 0.1, 1.5, '12', 1, x'00ff', '2026-01-02 03:04:05.5', '03:04:05.5', '{"w": 2.50}'),
  (2, 2, 7, 0.0000001, 2.5, '1.5', 0, x'', '2026-01-02 03:04:05', '10:00:00', '{"w": "4"}'),
  (3, NULL, NULL, 1e300, NULL, 'true', NULL, NULL, NULL, NULL, 'null');
"#;

#[tokio::test]
async fn are_those_of_every_store_or_refused() {
    on_each(TABLES, |database| async move {
        let api = Api::over(&database.url()).await;
        for (select, expected) in [
            ("v:x::int.max()&id=eq.1", r#"[{"v":12}]"#),
            ("v:x::numeric.sum()&id=lt.3", r#"[{"v":13.500000000000000000}]"#),
            ("v:f::numeric.sum()&id=lt.3", r#"[{"v":0.100000100000000000}]"#),
            ("v:d::int.sum()", r#"[{"v":5}]"#),
            ("v:doc->>w::numeric.sum()", r#"[{"v":6.500000000000000000}]"#),
            ("v:doc->w::int.max()", r#"[{"v":4}]"#),
            ("v:ok::text.max()", r#"[{"v":"true"}]"#),
            ("v:octets::text.max(),w:octets::text.count()", r#"[{"v":"\\x00ff","w":2}]"#),
            ("v:at::text.min()", r#"[{"v":"2026-01-02T03:04:05+00:00"}]"#),
            ("v:hour::text.min()", r#"[{"v":"03:04:05.5"}]"#),
            ("n::bool,count()&order=n", r#"[{"n":true,"count":2},{"n":null,"count":1}]"#),
            // Results are cast as well, means by what they are and not by what they are made of.
            ("v:n.avg()::int,w:n.avg()::text", r#"[{"v":4,"w":"3.5000000000000000"}]"#),
            ("v:big.max()::text", r#"[{"v":"9007199254740993"}]"#),
            ("v:at.max()::date", r#"[{"v":"2026-01-02"}]"#),
        ] {
            assert_eq!(api.get(&format!("t?select={select}")).await, expected, "{select} on {}", database.product());
        }
        for (select, expected) in [
            ("v:x::int.sum()", "22P02"),
            ("v:x::float8.max()", "22P02"),
            ("v:x.max()::int", "22P02"),
            ("x::int,count()", "22P02"),
            ("v:big::int.count()", "22003"),
            ("v:big.max()::int", "22003"),
            ("v:f::numeric.max()", "22003"),
            ("v:f::int.max()", "PGRST127"),
            ("v:x::date.max()", "PGRST127"),
        ] {
            let refused = api.refused("GET", &format!("t?select={select}"), "").await;
            assert_eq!(refused, (400, expected.to_owned()), "{select} on {}", database.product());
        }
    })
    .await;
}
