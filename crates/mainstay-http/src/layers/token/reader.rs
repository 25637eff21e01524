//! Tokens whose claims are somebody else's to judge: the signature is verified here, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::keys::{self, VerifyingKey};
use super::{Refusal, candidates, object, opened};

/// Verifies signatures and gives all claims. Times and audience are the caller's to check.
pub struct TokenReader {
    keys: Vec<VerifyingKey>,
    /// The key of tokens whose `kid` is not known: a secret that has no name.
    fallback: Option<usize>,
}

/// Why a token gives no claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadableToken {
    /// It cannot be read or verified.
    Token {
        /// What is wrong.
        message: String,
        /// More of it.
        details: Option<&'static str>,
    },
    /// Its claims are no JSON object.
    Claims,
}

impl TokenReader {
    /// One for tokens that are signed with a secret by HS256.
    ///
    /// # Errors
    /// That the secret is shorter than [`JWT_SECRET_BYTES_MIN`](super::JWT_SECRET_BYTES_MIN).
    pub fn of_secret(secret: &[u8]) -> Result<TokenReader, &'static str> {
        if secret.len() < super::JWT_SECRET_BYTES_MIN {
            return Err("The JWT secret must be at least 32 characters long.");
        }
        Ok(TokenReader { keys: vec![VerifyingKey::of_secret(secret)], fallback: Some(0) })
    }

    /// The same, but for tokens that have a `kid`: a secret without a name is nobody's they could mean.
    #[must_use]
    pub fn of_unnamed(mut self) -> TokenReader {
        self.fallback = None;
        self
    }

    /// One for tokens that a key of a JWK, or of a JWK set, verifies.
    ///
    /// # Errors
    /// What is wrong with the keys.
    pub fn of_keys(json: &str) -> Result<TokenReader, &'static str> {
        Ok(TokenReader { keys: keys::read(json)?, fallback: None })
    }

    /// One for tokens that a secret signs or a key of a set verifies.
    ///
    /// # Errors
    /// As for the two by themselves.
    pub fn of_both(secret: &[u8], json: &str) -> Result<TokenReader, &'static str> {
        let mut reader = TokenReader::of_secret(secret)?;
        reader.keys.extend(keys::read(json)?);
        Ok(reader)
    }

    /// The octets of a secret in base64, in either alphabet, with or without padding; `None` if it is none.
    pub fn decode_secret(text: &str) -> Option<Vec<u8>> {
        let text = text.trim().trim_end_matches(['=', '.']).replace('+', "-").replace('/', "_");
        URL_SAFE_NO_PAD.decode(text).ok()
    }

    /// The claims of a token.
    ///
    /// # Errors
    /// [`UnreadableToken`]; the token is not to be believed then.
    pub fn claims(&self, token: &str) -> Result<Map<String, Value>, UnreadableToken> {
        let payload = opened(&self.keys, token, |keys, id| candidates(keys, id, self.fallback));
        let payload = payload.map_err(|refusal| match refusal {
            Refusal::Token { message, details } => UnreadableToken::Token { message, details },
            Refusal::Claims(_) | Refusal::Role(_) => UnreadableToken::Claims,
        })?;
        object(&payload).ok_or(UnreadableToken::Claims)
    }
}

impl std::fmt::Debug for TokenReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenReader([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn sign(header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn all_claims_of_a_good_token_are_given_and_none_of_a_bad_one() {
        let reader = TokenReader::of_secret(SECRET).unwrap();
        let token = sign(r#"{"alg":"HS256","kid":"x"}"#, r#"{"role":"api","own":{"a":1}}"#);
        assert_eq!(reader.claims(&token).unwrap()["own"]["a"], 1);
        let unnamed = TokenReader::of_secret(SECRET).unwrap().of_unnamed();
        assert!(unnamed.claims(&token).is_err());
        assert!(unnamed.claims(&sign(r#"{"alg":"HS256"}"#, "{}")).is_ok());
        let told = |token: &str| match reader.claims(token).unwrap_err() {
            UnreadableToken::Token { message, details } => format!("{message}|{}", details.unwrap_or_default()),
            UnreadableToken::Claims => "claims".to_owned(),
        };
        assert_eq!(told("x"), "Expected 3 parts in JWT; got 1|");
        let unsigned = sign(r#"{"alg":"none"}"#, r#"{"role":"api"}"#);
        assert!(told(&unsigned).contains("unsecured"), "{}", told(&unsigned));
        let foreign = sign(r#"{"alg":"RS256"}"#, r#"{"role":"api"}"#);
        assert!(told(&foreign).ends_with("No suitable key was found to decode the JWT"));
        let end = token.rfind('.').unwrap();
        let other = format!("{}.{}", &token[..end], URL_SAFE_NO_PAD.encode([0; 32]));
        assert!(told(&other).ends_with("None of the keys was able to decode the JWT"));
        assert_eq!(told(&sign(r#"{"alg":"HS256"}"#, "[]")), "claims");
    }

    #[test]
    fn a_kid_picks_within_a_set() {
        let key = URL_SAFE_NO_PAD.encode(SECRET);
        let set = format!(r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS256","k":"{key}"}}]}}"#);
        let reader = TokenReader::of_keys(&set).unwrap();
        assert!(reader.claims(&sign(r#"{"alg":"HS256","kid":"a"}"#, "{}")).is_ok());
        assert!(reader.claims(&sign(r#"{"alg":"HS256"}"#, "{}")).is_ok());
        assert!(reader.claims(&sign(r#"{"alg":"HS256","kid":"b"}"#, "{}")).is_err());
        assert!(TokenReader::of_secret(&SECRET[1..]).is_err());
        assert_eq!(TokenReader::decode_secret("-_8=").unwrap(), TokenReader::decode_secret("+/8").unwrap());
    }
}
