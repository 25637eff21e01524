//! `[database]`.

use super::Kind;

section! {
    /// What of a PostgreSQL database is served where its own rules decide (`stores.main.rules = "database"`), and as whom.
    DatabaseSettings in "database" {
        /// Schemas that are served; the first is that of requests that name none. As PostgREST's `db-schemas`.
        schemas: Vec<String> = Kind::List, default "public", env ["PGRST_DB_SCHEMAS"];
        /// Schemas behind it in which functions, types and operators are found. As `db-extra-search-path`.
        search_path: Vec<String> = Kind::List, default "public", env ["PGRST_DB_EXTRA_SEARCH_PATH"];
        /// The role of the database for requests with the publishable key, and for tokens without a role. As
        /// `db-anon-role`.
        anon_role: String = Kind::Text, default "anon", env ["PGRST_DB_ANON_ROLE"];
        /// The role of the database for requests with the secret key.
        service_role: String = Kind::Text, default "service_role";
        /// A function that is called first in the transaction of every request, such as `auth.check`. As
        /// `db-pre-request`.
        pre_request: Option<String> = Kind::Text, env ["PGRST_DB_PRE_REQUEST"];
        /// Whether callers may ask for the plan of a statement instead of its rows. As `db-plan-enabled`.
        plans: bool = Kind::Flag, default "false", env ["PGRST_DB_PLAN_ENABLED"];
    }
}
