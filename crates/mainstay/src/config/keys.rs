//! `[keys]`.

use super::{Kind, Secret};

section! {
    /// The keys of the API. What is not given here is made once and kept in `.mainstay/secrets.toml`.
    KeySettings in "keys" {
        /// The key for browsers and apps, role `anon`.
        publishable: Option<Secret> = Kind::Secret(16), env ["MAINSTAY_PUBLISHABLE_KEY"];
        /// The key for your own servers, role `service_role`: it passes every access rule.
        secret: Option<Secret> = Kind::Secret(16), env ["MAINSTAY_SECRET_KEY"];
        /// Secret that signs tokens (HS256), at least 32 characters (RFC 7518 3.2 wants 256 bits).
        jwt_secret: Option<Secret> = Kind::Secret(32), env ["MAINSTAY_JWT_SECRET", "JWT_SECRET"];
    }
}
