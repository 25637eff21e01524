//! What is found in the fixture.

use mainstay_postgrest::catalog::{
    Cardinality, Catalog, Column, Function, HandlerSource, Link, Name, ReadOptions, Relation, Relationship, ReturnType,
    Volatility, read,
};

use super::support::{fixture, pool_of};

async fn catalog() -> Catalog {
    let pool = pool_of(fixture());
    let catalog = read(&pool, &ReadOptions::of(["api", "other"])).await.expect("it can be read");
    pool.close().await;
    catalog
}

fn relation<'c>(catalog: &'c Catalog, name: &str) -> &'c Relation {
    catalog.relations.get(&Name::new("api", name)).unwrap_or_else(|| panic!("no {name}"))
}

fn functions<'c>(catalog: &'c Catalog, name: &str) -> &'c [Function] {
    catalog.functions.get(&Name::new("api", name)).map_or(&[], Vec::as_slice)
}

/// How one relation leads to others, in a few words each.
fn ways(catalog: &Catalog, from: &str) -> Vec<String> {
    let list = catalog.relationships.get(&Name::new("api", from)).map_or(&[][..], Vec::as_slice);
    list.iter().map(way).collect()
}

fn pairs<T: std::fmt::Display>(columns: &[(T, T)]) -> String {
    columns.iter().map(|(here, there)| format!("{here}={there}")).collect::<Vec<_>>().join(" ")
}

fn way(relationship: &Relationship) -> String {
    let is_self = if relationship.is_self { " self" } else { "" };
    let target = &relationship.target;
    match &relationship.link {
        Link::Key { constraint, columns, cardinality } => {
            let kind = match cardinality {
                Cardinality::ManyToOne => "m2o",
                Cardinality::OneToMany => "o2m",
                Cardinality::OneToOne => "o2o",
                Cardinality::OneToOneInverse => "o2o-inverse",
            };
            format!("{kind} {target} {constraint} {}{is_self}", pairs(columns))
        }
        Link::Many(junction) => format!(
            "m2m {target} {} {} {} {}",
            junction.table,
            junction.source_constraint,
            pairs(&junction.source_columns),
            pairs(&junction.target_columns)
        ),
        Link::Computed { function, parameter, to_one } => {
            format!("computed {target} {function}({parameter}) {}", if *to_one { "one" } else { "many" })
        }
    }
}

#[tokio::test]
async fn relations_are_those_of_the_exposed_schemas_without_partitions() {
    let catalog = catalog().await;
    let found = |schema: &str, name: &str| catalog.relations.contains_key(&Name::new(schema, name));
    assert!(
        found("api", "clients") && found("other", "shops") && found("api", "sales") && found("api", "projects_kept")
    );
    assert!(!found("hidden", "secrets") && !found("api", "sales_2025") && !found("api", "clients_pkey"));
    assert_eq!(relation(&catalog, "clients").comment.as_deref(), Some("Clients\nwho pay"));
    for (name, is_view, writable) in [
        ("clients", false, [true, true, true]),
        ("sales", false, [true, true, true]),
        ("projects_view", true, [true, true, true]),
        ("projects_joined", true, [false, false, false]),
        ("projects_kept", true, [false, false, false]),
        ("everybody", true, [false, false, false]),
        ("written", true, [true, false, false]),
    ] {
        let relation = relation(&catalog, name);
        let found = [relation.insertable, relation.updatable, relation.deletable];
        assert_eq!((relation.is_view, found), (is_view, writable), "{name}");
    }
}

#[tokio::test]
async fn primary_keys_are_inherited_by_views_that_show_all_of_them() {
    let catalog = catalog().await;
    for (name, expected) in [
        ("clients", vec!["id"]),
        ("towns", vec!["country", "name"]),
        ("kinds", vec![]),
        ("sales", vec!["id", "year"]),
        ("projects_view", vec!["id"]),
        ("projects_deep", vec!["key"]),
        ("projects_joined", vec!["pid", "cid"]),
        ("projects_kept", vec!["id"]),
        ("users_tasks_view", vec!["user_id", "task_id"]),
        ("everybody", vec![]),
        ("secrets", vec!["id"]),
    ] {
        let key: Vec<&str> = relation(&catalog, name).primary_key.iter().map(|name| &**name).collect();
        assert_eq!(key, expected, "{name}");
    }
}

#[tokio::test]
async fn columns_have_types_lengths_defaults_and_labels() {
    let catalog = catalog().await;
    let kinds = relation(&catalog, "kinds");
    let names: Vec<&str> = kinds.columns.iter().map(|column| &*column.name).collect();
    let expected =
        ["id", "serial", "v", "c", "b", "vb", "n", "doubled", "m", "ms", "w", "s", "f", "p", "is_on", "at", "j"];
    assert_eq!(names, expected);
    let about = |column: &Column| {
        format!(
            "{} {} | {} | {} | {} {} {}",
            if column.is_nullable { "null" } else { "required" },
            column.base_type,
            column.declared_type,
            column.shown_type,
            column.length_max.map(|length| length.to_string()).unwrap_or_default(),
            column.default.as_deref().unwrap_or("-"),
            column.labels.join(","),
        )
    };
    let varying = "character varying";
    for (name, expected) in [
        ("id", "required bigint | bigint | bigint |  - "),
        ("serial", "required integer | integer | integer |  nextval('api.kinds_serial_seq'::regclass) "),
        ("v", &format!("null {varying} | {varying}(7) | {varying} | 7 'x'::{varying} ")),
        ("c", "null character | character(3) | character | 3 - "),
        ("b", "null bit | bit(5) | bit | 5 - "),
        ("vb", "null bit varying | bit varying(6) | bit varying | 6 - "),
        ("n", "null numeric | numeric(8,2) | numeric |  1.5 "),
        ("doubled", "null integer | integer | integer |  - "),
        ("m", "null api.mood | api.mood | api.mood |  'ok'::api.mood sad,ok,happy"),
        ("ms", "null api.mood[] | api.mood[] | api.mood[] |  - "),
        ("w", &format!("required {varying} | api.word | {varying} | 8 'none'::{varying} ")),
        ("s", &format!("null {varying} | api.short_word | {varying} | 8 'none'::{varying} ")),
        ("f", "null api.mood | api.feeling | api.feeling |  - sad,ok,happy"),
        ("p", "null api.pair | api.pair | api.pair |  - "),
        ("at", "null timestamp with time zone | timestamp with time zone | timestamp with time zone |  now() "),
    ] {
        assert_eq!(about(kinds.column(name).expect(name)), expected, "{name}");
    }
    let nested: Vec<&str> =
        kinds.columns.iter().filter(|column| column.is_composite_or_array).map(|column| &*column.name).collect();
    assert_eq!(nested, ["ms", "p"]);
    let id = relation(&catalog, "projects").column("id").expect("a column");
    assert_eq!(id.default.as_deref(), Some("nextval('api.projects_id_seq')"));
    let name = relation(&catalog, "clients").column("name").expect("a column");
    assert_eq!(name.comment.as_deref(), Some("What they are called"));
}

#[tokio::test]
async fn foreign_keys_lead_both_ways() {
    let catalog = catalog().await;
    assert_eq!(
        ways(&catalog, "orders"),
        ["m2o api.addresses billing billing_id=id", "m2o api.addresses shipping shipping_id=id"]
    );
    assert_eq!(
        ways(&catalog, "addresses"),
        ["o2m api.orders billing id=billing_id", "o2m api.orders shipping id=shipping_id"]
    );
    assert_eq!(ways(&catalog, "staff"), ["o2m api.staff boss id=boss_id self", "m2o api.staff boss boss_id=id self"]);
    assert_eq!(ways(&catalog, "people")[..], ["m2o api.towns lives land=country town=name"]);
    let clients = ways(&catalog, "clients");
    for expected in [
        "o2o-inverse api.passports passports_client_id_fkey id=client_id",
        "o2m api.seats seats_client_id_fkey id=client_id",
        "o2m api.sales sales_client_id_fkey id=client_id",
        "o2m other.shops shops_client_id_fkey id=client_id",
    ] {
        assert!(clients.contains(&expected.to_owned()), "{expected}: {clients:#?}");
    }
    assert!(!clients.iter().any(|way| way.contains("sales_2025") || way.contains("hidden")), "{clients:#?}");
    assert!(ways(&catalog, "passports").contains(&"o2o api.clients passports_client_id_fkey client_id=id".to_owned()));
}

#[tokio::test]
async fn views_inherit_what_they_show_whole() {
    let catalog = catalog().await;
    assert_eq!(
        ways(&catalog, "people_twice"),
        ["m2o api.towns lives land=country town=name", "m2o api.towns lives land=country town2=name"]
    );
    assert_eq!(ways(&catalog, "people_half"), [""; 0]);
    assert_eq!(ways(&catalog, "everybody"), [""; 0]);
    assert_eq!(ways(&catalog, "secrets"), ["m2o api.users secrets_user_id_fkey user_id=id"]);
    // Through a view that nobody may ask for; and from a view to a view.
    assert_eq!(
        ways(&catalog, "projects_deep"),
        [
            "m2o api.clients projects_client_id_fkey owner=id",
            "m2o api.projects_joined projects_client_id_fkey owner=cid",
            "o2m api.tasks tasks_project_id_fkey key=project_id",
        ]
    );
}

#[tokio::test]
async fn junctions_have_both_keys_in_their_primary_key() {
    let catalog = catalog().await;
    let many = |from: &str| ways(&catalog, from).into_iter().filter(|way| way.starts_with("m2m")).collect::<Vec<_>>();
    assert_eq!(
        many("users"),
        [
            "m2m api.tasks api.users_tasks users_tasks_user_id_fkey id=user_id id=task_id",
            "m2m api.tasks api.users_tasks_view users_tasks_user_id_fkey id=user_id id=task_id",
        ]
    );
    assert_eq!(
        many("tasks"),
        [
            "m2m api.users api.users_tasks users_tasks_task_id_fkey id=task_id id=user_id",
            "m2m api.users api.users_tasks_view users_tasks_task_id_fkey id=task_id id=user_id",
        ]
    );
    assert_eq!(many("projects"), [""; 0], "its junction is hidden");
}

#[tokio::test]
async fn computed_relationships_take_the_place_of_others_of_their_name() {
    let catalog = catalog().await;
    let to_desks: Vec<String> =
        ways(&catalog, "clients").into_iter().filter(|way| way.contains(" api.desks ")).collect();
    assert_eq!(to_desks, ["computed api.desks api.desks(api.clients) many"]);
    let clients = ways(&catalog, "clients");
    assert!(clients.contains(&"computed api.projects api.best_project(api.clients) one".to_owned()), "{clients:#?}");
    assert!(clients.contains(&"o2m api.projects projects_client_id_fkey id=client_id".to_owned()), "{clients:#?}");
    let projects = ways(&catalog, "projects");
    assert!(projects.contains(&"computed api.clients api.other_client(api.projects) one".to_owned()), "{projects:#?}");
}

#[tokio::test]
async fn functions_are_told_apart_by_what_they_take() {
    let catalog = catalog().await;
    let add = functions(&catalog, "add");
    let about = |function: &Function| {
        let parameters = function.parameters.iter().map(|parameter| {
            let default = if parameter.is_required { "" } else { "?" };
            let variadic = if parameter.is_variadic { "…" } else { "" };
            format!("{variadic}{}{default} {} {}", parameter.name, parameter.ty, parameter.cast_type)
        });
        parameters.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(add.iter().map(about).collect::<Vec<_>>(), ["a text text", "a integer integer, b? integer integer"]);
    assert_eq!((add[0].volatility, add[1].volatility), (Volatility::Stable, Volatility::Immutable));
    assert_eq!(add[1].comment.as_deref(), Some("Adds\n\ntwo numbers"));
    for (name, expected) in [
        ("nothing", ""),
        ("all_of", "…v text[] text[]"),
        ("lengths", "c character character varying, b bit bit varying, v character varying character varying"),
        ("outs", "a integer integer, b text text"),
        ("take", " json json"),
    ] {
        let [function] = functions(&catalog, name) else { panic!("{name}") };
        assert_eq!(about(function), expected, "{name}");
        assert_eq!(function.is_variadic, name == "all_of");
    }
    for name in ["not_callable", "not_callable_either", "on_change", "proceed", "tsv", "shouted", "unseen"] {
        assert_eq!(functions(&catalog, name).len(), 0, "{name}");
    }
    let [slow] = functions(&catalog, "slow") else { panic!("one") };
    let settings: Vec<String> = slow.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(settings, ["statement_timeout=5s", "default_transaction_isolation=serializable"]);
}

#[tokio::test]
async fn functions_say_what_they_give() {
    let catalog = catalog().await;
    let scalar = |name: &str| ReturnType::Scalar(Name::new("pg_catalog", name));
    let composite =
        |schema: &str, name: &str, is_relation| ReturnType::Composite { ty: Name::new(schema, name), is_relation };
    for (name, is_set, what) in [
        ("nothing", false, ReturnType::Void),
        ("all_of", false, scalar("_text")),
        ("take", false, scalar("json")),
        ("anything", false, scalar("record")),
        ("outs", false, composite("pg_catalog", "record", false)),
        ("one_out", false, composite("pg_catalog", "int4", false)),
        ("rows", true, composite("pg_catalog", "record", false)),
        ("all_projects", true, composite("api", "projects", true)),
        ("one_client", false, composite("api", "clients", true)),
        ("domain_row", false, composite("api", "clients", true)),
        ("point", false, composite("api", "pair", false)),
        ("hidden_rows", true, composite("hidden", "secrets", false)),
        ("picture", false, scalar("bytea")),
    ] {
        let [function] = functions(&catalog, name) else { panic!("{name}") };
        assert_eq!((function.returns.is_set, &function.returns.what), (is_set, &what), "{name}");
    }
}

#[tokio::test]
async fn domains_are_shown_and_read_by_implicit_casts() {
    let catalog = catalog().await;
    let mut found: Vec<String> = (catalog.representations.iter())
        .map(|((from, to), representation)| format!("{from} -> {to} {}", representation.function))
        .collect();
    found.sort();
    let expected =
        ["api.color -> json api.color_json", "json -> api.color api.color_of", "text -> api.color hidden.color_of"];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn handlers_are_domains_named_like_media_types() {
    let catalog = catalog().await;
    let mut found: Vec<String> = (catalog.handlers.iter())
        .map(|handler| {
            let of = handler.relation.as_ref().map(ToString::to_string).unwrap_or_default();
            match &handler.source {
                HandlerSource::Aggregate(name) => format!("{} aggregate {name} {of}", handler.media),
                HandlerSource::Function(name) => format!("{} function {name} {of}", handler.media),
            }
        })
        .collect();
    found.sort();
    let expected = [
        "*/* aggregate api.any_bytes ",
        "image/png function api.picture ",
        "text/tab-separated-values aggregate api.tsv api.projects",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_rest_of_the_database() {
    let catalog = catalog().await;
    assert!(catalog.server_version >= 120_000);
    assert!(catalog.timezones.contains("Europe/Vienna"));
    assert_eq!(catalog.schema_comments.len(), 1);
    assert!(catalog.schema_comments["api"].starts_with("The shop\n\n"));
}
