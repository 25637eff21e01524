//! What the rows of a read look like, for whoever writes them out.

use std::sync::Arc;

use mainstay_schema::{Schema, Type};

use super::{Cardinality, Read, Source};

/// The members of the rows that a read gives, for whoever writes them out.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Members in order.
    pub members: Vec<Member>,
}

/// One member of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: MemberKind,
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberKind {
    /// A value of this type, or null.
    Value(Type),
    /// An object or null.
    One(Shape),
    /// A list of objects.
    Many(Shape),
}

impl Read {
    /// The shape of the rows.
    pub fn shape(&self, schema: &Schema) -> Shape {
        let table = schema.table(self.table);
        let members = self.select.iter().map(|output| Member {
            name: output.name.clone(),
            kind: match &output.source {
                Source::Value(expr) => MemberKind::Value(expr.ty(table)),
                Source::Embed(embed) => match embed.link.cardinality {
                    Cardinality::One => MemberKind::One(embed.read.shape(schema)),
                    Cardinality::Many => MemberKind::Many(embed.read.shape(schema)),
                },
            },
        });
        Shape { members: members.collect() }
    }
}
