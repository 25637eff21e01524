//! A small shop for the unit tests of this folder, built by hand so that they rest on the model alone.

use mainstay_schema::model::{Checks, Texts};
use mainstay_schema::{
    Access, Column, ColumnId, Index, IndexColumn, Key, Reference, ReferenceAction, Schema, Table, TableId, TableKind,
    Type,
};

/// `customers(id bigint, email text unique, name text?)`, `orders(id, customer_id → customers, total decimal, note?)`,
/// `tags(id, name)`, `orders_tags(order_id, tag_id)`.
pub(crate) fn schema() -> Schema {
    let customers = table(0, "customers", &[("id", Type::BigInt), ("email", Type::Text), ("name?", Type::Text)]);
    let orders = table(
        1,
        "orders",
        &[
            ("id", Type::BigInt),
            ("customer_id", Type::BigInt),
            ("total", Type::Decimal { precision: 12, scale: 2 }),
            ("note?", Type::Json),
        ],
    );
    let tags = table(2, "tags", &[("id", Type::BigInt), ("name", Type::Text)]);
    let orders_tags = table(3, "orders_tags", &[("order_id", Type::BigInt), ("tag_id", Type::BigInt)]);
    Schema::new(vec![
        Table { uniques: vec![Key { name: "customers_email_key".into(), columns: ids(&[1]) }], ..customers },
        Table {
            references: vec![reference("orders_customer_id_fkey", 1, 0)],
            indexes: vec![Index {
                name: "orders_by_total".into(),
                columns: vec![IndexColumn { column: ColumnId(2), descending: true }],
                unique: false,
                condition: None,
            }],
            ..orders
        },
        tags,
        Table {
            primary_key: ids(&[0, 1]),
            references: vec![reference("orders_tags_order_id_fkey", 0, 1), reference("orders_tags_tag_id_fkey", 1, 2)],
            ..orders_tags
        },
    ])
}

fn ids(columns: &[u32]) -> Vec<ColumnId> {
    columns.iter().map(|column| ColumnId(*column)).collect()
}

fn reference(name: &str, column: u32, target: u32) -> Reference {
    Reference {
        name: name.into(),
        columns: ids(&[column]),
        target: TableId(target),
        target_columns: ids(&[0]),
        on_delete: ReferenceAction::Cascade,
        on_update: ReferenceAction::Restrict,
    }
}

/// A table whose first column is its key; a name that ends with `?` is optional.
fn table(id: u32, name: &str, columns: &[(&str, Type)]) -> Table {
    let column = |(position, (name, ty)): (usize, &(&str, Type))| Column {
        id: ColumnId(position as u32),
        name: name.trim_end_matches('?').into(),
        was: None,
        ty: ty.clone(),
        texts: Texts::default(),
        optional: name.ends_with('?'),
        default: None,
        touched: false,
        checks: Checks::default(),
        description: None,
    };
    Table {
        id: TableId(id),
        name: name.into(),
        was: None,
        store: None,
        kind: TableKind::Table,
        description: None,
        columns: columns.iter().enumerate().map(column).collect(),
        primary_key: ids(&[0]),
        uniques: Vec::new(),
        references: Vec::new(),
        far_references: Vec::new(),
        indexes: Vec::new(),
        fulltexts: Vec::new(),
        access: Access::default(),
        internal: false,
    }
}
