//! Descriptions that were made, kept as bytes until the schema is another.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mainstay_query::{Actor, Role};
use mainstay_schema::Schema;

use super::{About, openapi};

/// The descriptions of one schema snapshot, one for each role.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    made: Mutex<Option<Made>>,
}

#[derive(Debug)]
struct Made {
    /// Held, so that no other snapshot can come to lie at its address.
    schema: Arc<Schema>,
    by_role: Vec<(Option<Role>, Bytes)>,
}

impl Documents {
    /// The description for this role, or of everything.
    pub(crate) fn get(&self, schema: &Arc<Schema>, role: Option<Role>, about: &About) -> Bytes {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.as_ref().is_some_and(|made| Arc::ptr_eq(&made.schema, schema)) {
            *made = Some(Made { schema: schema.clone(), by_role: Vec::new() });
        }
        let by_role = &mut made.as_mut().expect("it was put there just now").by_role;
        if let Some((_, bytes)) = by_role.iter().find(|(known, _)| *known == role) {
            return bytes.clone();
        }
        let bytes = openapi(schema, role, about);
        by_role.push((role, bytes.clone()));
        bytes
    }
}

/// The role whose view an actor has; our own work sees everything.
pub(crate) fn role(actor: &Actor) -> Option<Role> {
    match actor {
        Actor::Caller(role) => Some(*role),
        Actor::System => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_made_once_for_each_schema_and_role() {
        let about = About { title: "t".to_owned(), server: "/rest/v1".to_owned(), aggregates: false };
        let documents = Documents::default();
        let schema = Arc::new(Schema::default());
        let first = documents.get(&schema, Some(Role::Anon), &about);
        assert_eq!(documents.get(&schema, Some(Role::Anon), &about).as_ptr(), first.as_ptr());
        assert_ne!(documents.get(&schema, None, &about).as_ptr(), first.as_ptr());
        assert_ne!(documents.get(&Arc::new(Schema::default()), Some(Role::Anon), &about).as_ptr(), first.as_ptr());
    }
}
