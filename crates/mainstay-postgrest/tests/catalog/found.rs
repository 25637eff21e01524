//! What is found in the fixture.

use mainstay_postgrest::catalog::{
    Cardinality, Catalog, HandlerSource, Link, Name, ReadOptions, Relation, Relationship, ReturnType, Volatility, read,
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
async fn it_is_read() {
    let catalog = catalog().await;
    for name in catalog.relations.keys() {
        println!("{name}: {:?}", catalog.relations[name].primary_key);
        for way in ways(&catalog, &name.name) {
            println!("    {way}");
        }
    }
    println!("{:#?}", relation(&catalog, "kinds"));
    println!("{:#?}", catalog.functions);
    println!("{:#?} {:#?}", catalog.handlers, catalog.representations);
    println!("{:#?} {:#?} {}", catalog.role_settings, catalog.schema_comments, catalog.timezones.len());
    let _ = (Volatility::Stable, ReturnType::Void, HandlerSource::Function(Name::new("", "")));
}
