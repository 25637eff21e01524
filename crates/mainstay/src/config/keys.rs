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
        /// Whether that secret is the base64 of the octets that sign.
        jwt_secret_is_base64: bool = Kind::Flag, default "false", env ["PGRST_JWT_SECRET_IS_BASE64"];
        /// Keys of others whose tokens count: a JWK or a JWK set as JSON (RS, PS, ES, HS and EdDSA), best as
        /// `file:jwks.json`. A token's `kid` picks one of them.
        jwt_keys: Option<Secret> = Kind::Secret(2);
        /// Who tokens must be made for: the claim `aud` has to be or hold exactly this text. Without it, anybody.
        jwt_audience: Option<String> = Kind::Text, env ["PGRST_JWT_AUD"];
        /// What becomes of a token without `aud` where `jwt_audience` is set; PostgREST accepts it.
        jwt_missing_audience: String = Kind::Choice(&["refuse", "accept"]), default "refuse";
        /// Where in its claims a token says its role: a JSON path to one value, as `$.app_metadata.role`.
        jwt_role_claim: String = Kind::Text, default "$.role", env ["PGRST_JWT_ROLE_CLAIM_KEY"];
    }
}
