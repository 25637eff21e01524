//! The keys of a project.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use mainstay_query::{Actor, Role};
use subtle::ConstantTimeEq;

use super::token::{JWT_SECRET_BYTES_MIN, Refusal, TokenSettings, Verdict, Verifier};

/// Tokens whose verdict is remembered; past it all are forgotten and verified again.
const VERDICTS_MAX: usize = 4096;

/// The opaque keys of a project and those that verify tokens. Prints nothing of them.
pub struct Keys {
    publishable: Box<[u8]>,
    secret: Box<[u8]>,
    verifier: Verifier,
    verdicts: RwLock<HashMap<Box<str>, Verdict>>,
}

/// Why keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// The signing secret is too short.
    #[error("the JWT secret has less than {JWT_SECRET_BYTES_MIN} octets")]
    JwtSecret,
    /// An opaque key is too short.
    #[error("the {0} key has less than 16 characters")]
    Opaque(&'static str),
    /// The keys of others cannot be used.
    #[error("the JWK or JWK set cannot be used: {0}")]
    Jwk(&'static str),
    /// Both keys are the same.
    #[error("the publishable and the secret key are the same")]
    Same,
}

impl Keys {
    /// Keys from their texts, and the secret that signs tokens.
    ///
    /// # Errors
    /// [`WeakKey`] if one could be guessed, or they could be mistaken for one another.
    pub fn new(publishable: &str, secret: &str, jwt_secret: impl AsRef<[u8]>) -> Result<Keys, WeakKey> {
        Keys::with_tokens(publishable, secret, jwt_secret, TokenSettings::default())
    }

    /// As [`Keys::new`], with tokens of others, or other claims.
    ///
    /// # Errors
    /// As [`Keys::new`], and [`WeakKey::Jwk`].
    pub fn with_tokens(
        publishable: &str,
        secret: &str,
        jwt_secret: impl AsRef<[u8]>,
        tokens: TokenSettings,
    ) -> Result<Keys, WeakKey> {
        let jwt_secret = jwt_secret.as_ref();
        for (name, key) in [("publishable", publishable), ("secret", secret)] {
            if key.len() < 16 {
                return Err(WeakKey::Opaque(name));
            }
        }
        if publishable == secret {
            return Err(WeakKey::Same);
        }
        if jwt_secret.len() < JWT_SECRET_BYTES_MIN {
            return Err(WeakKey::JwtSecret);
        }
        let verifier = Verifier::new(jwt_secret, tokens).map_err(WeakKey::Jwk)?;
        Ok(Keys {
            publishable: publishable.as_bytes().into(),
            secret: secret.as_bytes().into(),
            verifier,
            verdicts: RwLock::default(),
        })
    }

    /// The publishable key, which is no secret.
    pub(crate) fn publishable(&self) -> &str {
        std::str::from_utf8(&self.publishable).unwrap_or_default()
    }

    /// Whoever holds this opaque key.
    pub fn actor(&self, text: &str) -> Option<Actor> {
        self.opaque(text).map(Actor::Caller)
    }

    /// The role of an opaque key. Takes the same time whichever it is and wherever it differs.
    pub(super) fn opaque(&self, text: &str) -> Option<Role> {
        let is_publishable: bool = self.publishable.ct_eq(text.as_bytes()).into();
        let is_secret: bool = self.secret.ct_eq(text.as_bytes()).into();
        match (is_publishable, is_secret) {
            (_, true) => Some(Role::Service),
            (true, false) => Some(Role::Anon),
            (false, false) => None,
        }
    }

    /// The role that a token gives at `now_s` seconds after 1970. A good token is verified once and then remembered
    /// with its times, which are checked each time.
    pub(super) fn token(&self, text: &str, now_s: i64) -> Result<Role, Refusal> {
        let known = self.verdicts.read().unwrap_or_else(PoisonError::into_inner).get(text).copied();
        if let Some(verdict) = known {
            return verdict.at(now_s);
        }
        let verdict = self.verifier.verify(text)?;
        let role = verdict.at(now_s)?;
        let mut verdicts = self.verdicts.write().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() >= VERDICTS_MAX {
            verdicts.clear();
        }
        verdicts.insert(text.into(), verdict);
        Ok(role)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_keys_are_refused() {
        let long = "0123456789abcdef0123456789abcdef";
        let check = |publishable, secret, jwt| Keys::new(publishable, secret, jwt).map(|_| ());
        assert_eq!(check("ms_publishable_1", "ms_secret_1234567", long), Ok(()));
        assert_eq!(check("ms_publishable_1", "short", long), Err(WeakKey::Opaque("secret")));
        assert_eq!(check("ms_publishable_1", "ms_publishable_1", long), Err(WeakKey::Same));
        assert_eq!(check("ms_publishable_1", "ms_secret_1234567", &long[1..]), Err(WeakKey::JwtSecret));
    }

    #[test]
    fn keys_print_nothing() {
        let keys = Keys::new("ms_publishable_1", "ms_secret_1234567", "0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{keys:?}"), "Keys([hidden])");
    }
}
