//! What lies between two schemas.
