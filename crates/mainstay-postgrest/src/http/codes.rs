//! Codes of PostgREST that no other part of Mainstay has a use for.

use mainstay_http::Code;

macro_rules! codes {
    ($($constant:ident = $name:literal, $status:literal, $when:literal;)*) => {
        $(#[doc = $when] pub(crate) static $constant: &Code = &Code { name: $name, status: $status, when: $when };)*
        /// All of them, for the documentation.
        pub const CODES: &[&Code] = &[$(&Code { name: $name, status: $status, when: $when }),*];
    };
}

codes! {
    NO_DATABASE = "PGRST000", 503, "No connection to the database can be had.";
    LOST_DATABASE = "PGRST001", 503, "The connection to the database broke.";
    NO_CATALOG = "PGRST002", 503, "What is in the database has not been read yet.";
    POOL_TIME = "PGRST003", 504, "No connection became free within db-pool-acquisition-timeout.";
    GUC_HEADERS = "PGRST111", 500, "The setting response.headers is not what it must be.";
    GUC_STATUS = "PGRST112", 500, "The setting response.status is no status.";
    NO_SECRET = "PGRST300", 500, "A token came, and no jwt-secret is set to verify it.";
}
