//! What a role may use: the database is asked as the role.

use std::collections::HashSet;

use mainstay_stores::postgres::{Failure, Param, Session};

/// Relations and functions of a schema that a role may do something with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    relations: HashSet<u32>,
    functions: HashSet<u32>,
}

impl Allowed {
    pub(super) fn has_relation(&self, oid: u32) -> bool {
        self.relations.contains(&oid)
    }

    pub(super) fn has_function(&self, oid: u32) -> bool {
        self.functions.contains(&oid)
    }
}

/// What the role of the session's transaction may use of a schema.
///
/// # Errors
/// As for any statement, for instance when there is no such role.
pub async fn allowed(session: &mut Session, schema: &str) -> Result<Allowed, Failure> {
    let mut allowed = Allowed::default();
    for row in session.query_all(include_str!("allowed.sql"), &[Param::Text(schema)]).await? {
        let (kind, oid): (i32, u32) = (row.try_get(0)?, row.try_get(1)?);
        let of = if kind == 1 { &mut allowed.relations } else { &mut allowed.functions };
        of.insert(oid);
    }
    Ok(allowed)
}
