//! Migration files: what is in `migrations/`, what was applied, and what lies between the schema and the database.
