//! The catalog as JSON, for whoever wants to see what the API has found.

use serde_json::{Value, json};

use crate::catalog::{
    Cardinality, Catalog, Function, HandlerSource, Link, Name, Relation, Relationship, ReturnType, Volatility,
};

/// All of it.
pub(super) fn json(catalog: &Catalog) -> String {
    let tables: Vec<Value> =
        catalog.relations.values().map(|relation| json!([named(&relation.name), table(relation)])).collect();
    let relationships: Vec<Value> = catalog.relationships.values().flatten().map(relationship).collect();
    let routines: Vec<Value> = catalog
        .functions
        .iter()
        .map(|(name, all)| json!([named(name), all.iter().map(routine).collect::<Vec<_>>()]))
        .collect();
    let representations: Vec<Value> = (catalog.representations.iter())
        .map(|((from, to), by)| json!({"drFunction": by.function.to_string(), "drSourceType": **from, "drTargetType": **to}))
        .collect();
    let handlers: Vec<Value> = (catalog.handlers.iter())
        .map(|handler| {
            let (kind, source) = match &handler.source {
                HandlerSource::Aggregate(name) => ("aggregate", name),
                HandlerSource::Function(name) => ("function", name),
            };
            json!({"media": handler.media, kind: source.to_string(), "relation": handler.relation.as_ref().map(Name::to_string)})
        })
        .collect();
    let document = json!({
        "dbMediaHandlers": handlers,
        "dbRelationships": relationships,
        "dbRepresentations": representations,
        "dbRoutines": routines,
        "dbTables": tables,
        "dbTimezones": catalog.timezones.len(),
        "serverVersion": catalog.server_version,
    });
    document.to_string()
}

fn named(name: &Name) -> Value {
    json!({"qiName": *name.name, "qiSchema": *name.schema})
}

fn table(relation: &Relation) -> Value {
    let columns: serde_json::Map<String, Value> = (relation.columns.iter())
        .map(|column| {
            let of = json!({
                "colName": *column.name,
                "colDescription": column.comment,
                "colNullable": column.is_nullable,
                "colType": *column.declared_type,
                "colNominalType": *column.base_type,
                "colMaxLen": column.length_max,
                "colDefault": column.default,
                "colEnum": column.labels,
            });
            (column.name.to_string(), of)
        })
        .collect();
    json!({
        "tableName": *relation.name.name,
        "tableSchema": *relation.name.schema,
        "tableDescription": relation.comment,
        "tableIsView": relation.is_view,
        "tableInsertable": relation.insertable,
        "tableUpdatable": relation.updatable,
        "tableDeletable": relation.deletable,
        "tablePKCols": relation.primary_key.iter().map(|column| &**column).collect::<Vec<_>>(),
        "tableColumns": columns,
    })
}

fn relationship(relationship: &Relationship) -> Value {
    let columns = |pairs: &[(std::sync::Arc<str>, std::sync::Arc<str>)]| {
        pairs.iter().map(|(a, b)| json!([**a, **b])).collect::<Vec<_>>()
    };
    let link = match &relationship.link {
        Link::Key { constraint, columns: pairs, cardinality } => {
            let cardinality = match cardinality {
                Cardinality::ManyToOne => "M2O",
                Cardinality::OneToMany => "O2M",
                Cardinality::OneToOne | Cardinality::OneToOneInverse => "O2O",
            };
            json!({"tag": cardinality, "relCons": **constraint, "relColumns": columns(pairs)})
        }
        Link::Many(junction) => json!({
            "tag": "M2M",
            "junTable": named(&junction.table),
            "junConstraint1": *junction.source_constraint,
            "junConstraint2": *junction.target_constraint,
            "junColsSource": columns(&junction.source_columns),
            "junColsTarget": columns(&junction.target_columns),
        }),
        Link::Computed { function, to_one, .. } => {
            json!({"tag": "ComputedRelationship", "relFunction": named(function), "relToOne": to_one})
        }
    };
    json!({
        "relTable": named(&relationship.source),
        "relForeignTable": named(&relationship.target),
        "relIsSelf": relationship.is_self,
        "relTableIsView": relationship.source_is_view,
        "relFTableIsView": relationship.target_is_view,
        "relCardinality": link,
    })
}

fn routine(function: &Function) -> Value {
    let parameters: Vec<Value> = (function.parameters.iter())
        .map(|parameter| {
            json!({"ppName": *parameter.name, "ppType": *parameter.ty, "ppReq": parameter.is_required, "ppVar": parameter.is_variadic})
        })
        .collect();
    let what = match &function.returns.what {
        ReturnType::Void => "void".to_owned(),
        ReturnType::Scalar(name) | ReturnType::Composite { ty: name, .. } => name.to_string(),
    };
    json!({
        "pdName": *function.name.name,
        "pdSchema": *function.name.schema,
        "pdDescription": function.comment,
        "pdParams": parameters,
        "pdReturnType": {"type": what, "isSet": function.returns.is_set},
        "pdVolatility": match function.volatility {
            Volatility::Volatile => "Volatile",
            Volatility::Stable => "Stable",
            Volatility::Immutable => "Immutable",
        },
        "pdHasVariadic": function.is_variadic,
    })
}
