//! What the rows of a read look like, for whoever writes them out.

use std::sync::Arc;

use mainstay_schema::{Schema, Type};

use super::{Cardinality, Output, Read, Source};

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

impl Shape {
    /// The members that rows of this shape give to the row above when any number of them are spread over it: arrays.
    #[must_use]
    pub fn spread(&self) -> Shape {
        let listed = |member: &Member| Member { name: member.name.clone(), kind: listed(&member.kind) };
        Shape { members: self.members.iter().map(listed).collect() }
    }
}

impl Read {
    /// How many members the rows have.
    pub fn width(&self) -> usize {
        let width = |output: &Output| match &output.source {
            Source::Spread(embed) => embed.read.width(),
            Source::Value(_) | Source::Aggregate(_) | Source::Embed(_) => 1,
        };
        self.select.iter().map(width).sum()
    }

    /// The shape of the rows.
    pub fn shape(&self, schema: &Schema) -> Shape {
        let mut members = Vec::with_capacity(self.select.len());
        self.add_members(schema, &mut members);
        Shape { members }
    }

    fn add_members(&self, schema: &Schema, members: &mut Vec<Member>) {
        let table = schema.table(self.table);
        for output in &self.select {
            let kind = match &output.source {
                Source::Value(expr) => MemberKind::Value(expr.ty(table)),
                Source::Aggregate(aggregate) => MemberKind::Value(aggregate.ty(table)),
                Source::Embed(embed) => match embed.link.cardinality {
                    Cardinality::One => MemberKind::One(embed.read.shape(schema)),
                    Cardinality::Many => MemberKind::Many(embed.read.shape(schema)),
                },
                Source::Spread(embed) if embed.link.cardinality == Cardinality::One => {
                    embed.read.add_members(schema, members);
                    continue;
                }
                Source::Spread(embed) => {
                    let start = members.len();
                    embed.read.add_members(schema, members);
                    members[start..].iter_mut().for_each(|member| member.kind = listed(&member.kind));
                    continue;
                }
            };
            members.push(Member { name: output.name.clone(), kind });
        }
    }
}

/// What a list of a member is. Only plain values have an array type of their own.
fn listed(kind: &MemberKind) -> MemberKind {
    let item = match kind {
        MemberKind::Value(Type::Array(_)) | MemberKind::One(_) | MemberKind::Many(_) => Type::Json,
        MemberKind::Value(ty) => ty.clone(),
    };
    MemberKind::Value(Type::Array(Box::new(item)))
}
