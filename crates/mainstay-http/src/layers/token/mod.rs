//! JSON Web Tokens: signatures, and the claims that decide about access.
//!
//! What verifies a token is decided by the keys that are configured and never by the token, so there is nothing to
//! confuse; `jku`, `jwk`, `x5c` and the like mean nothing here.

mod keys;
mod path;
mod reader;

pub use keys::JWT_SECRET_BYTES_MIN;
pub use path::{ClaimPath, NoPath};
pub use reader::{TokenReader, UnreadableToken};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_query::Role;
use serde_json::Value;

use keys::{Algorithm, VerifyingKey};

/// Longest token that is read, in octets.
pub(super) const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Seconds by which two clocks may differ.
const SLACK_S: i64 = 30;

/// Which tokens are taken besides those that the project's own secret signs, and what their claims must say.
#[derive(Clone, Default)]
pub struct TokenSettings {
    /// A JWK or a JWK set as JSON: keys that others sign by.
    pub keys: Option<String>,
    /// Who tokens must be made for (`aud`); without it, for anybody.
    pub audience: Option<String>,
    /// What becomes of a token that does not say who it is for.
    pub missing_audience: MissingAudience,
    /// Where the role stands.
    pub role: ClaimPath,
}

impl std::fmt::Debug for TokenSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSettings([hidden])")
    }
}

/// What becomes of a token without `aud` where one is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingAudience {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes, as with PostgREST.
    Accept,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot be read or verified.
    Token { message: String, details: Option<&'static str> },
    /// Its claims say no.
    Claims(String),
    /// Its role does not exist.
    Role(String),
}

impl Refusal {
    fn token(message: &str) -> Refusal {
        Refusal::Token { message: message.to_owned(), details: None }
    }
}

/// What a token whose signature is good says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    role: Role,
    expires_s: Option<f64>,
    not_before_s: Option<f64>,
    issued_s: Option<f64>,
}

impl Verdict {
    /// The role, if the token's times allow it at `now_s`.
    pub(super) fn at(&self, now_s: i64) -> Result<Role, Refusal> {
        let earliest = (now_s - SLACK_S) as f64;
        let latest = (now_s + SLACK_S) as f64;
        let refuse = |message: &str| Err(Refusal::Claims(message.to_owned()));
        if self.expires_s.is_some_and(|expires| expires < earliest) {
            return refuse("JWT expired");
        }
        if self.not_before_s.is_some_and(|start| start > latest) {
            return refuse("JWT not yet valid");
        }
        if self.issued_s.is_some_and(|issued| issued > latest) {
            return refuse("JWT issued at future");
        }
        Ok(self.role)
    }
}

/// Verifies tokens.
pub(super) struct Verifier {
    /// The project's own secret first.
    keys: Vec<VerifyingKey>,
    settings: TokenSettings,
}

impl Verifier {
    /// One for tokens that this secret signs, and for those of the settings.
    ///
    /// # Errors
    /// What is wrong with the keys of the settings.
    pub(super) fn new(secret: &[u8], mut settings: TokenSettings) -> Result<Verifier, &'static str> {
        let mut keys = vec![VerifyingKey::of_secret(secret)];
        if let Some(text) = settings.keys.take() {
            keys.extend(keys::read(&text)?);
        }
        Ok(Verifier { keys, settings })
    }

    /// Verifies the signature of a token and reads its claims.
    pub(super) fn verify(&self, text: &str) -> Result<Verdict, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::token("The JWT is longer than 8192 octets"));
        }
        claims(&opened(&self.keys, text, |keys, id| candidates(keys, id, Some(0)))?, &self.settings)
    }
}

/// The keys that a token may be signed by: that of its `kid`, without one all of them. A `kid` that is not known leaves
/// the key at `fallback`: the project's own secret, whose tokens may have any.
fn candidates<'k>(keys: &'k [VerifyingKey], id: Option<&str>, fallback: Option<usize>) -> Vec<&'k VerifyingKey> {
    let Some(id) = id else { return keys.iter().collect() };
    let named: Vec<_> = keys.iter().filter(|key| key.is_named(id)).collect();
    if named.is_empty() { fallback.and_then(|at| keys.get(at)).into_iter().collect() } else { named }
}

/// The payload of a token that one of the keys signed.
fn opened<'k>(
    keys: &'k [VerifyingKey],
    text: &str,
    candidates: impl Fn(&'k [VerifyingKey], Option<&str>) -> Vec<&'k VerifyingKey>,
) -> Result<Vec<u8>, Refusal> {
    let parts: Vec<&str> = text.split('.').take(4).collect();
    let [header, payload, signature] = parts[..] else {
        return Err(Refusal::token(&format!("Expected 3 parts in JWT; got {}", text.split('.').count())));
    };
    let unreadable = || Refusal::token("JWT cryptographic operation failed");
    let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable());
    let header = object(&decode(header)?).ok_or_else(unreadable)?;
    let named = header.get("alg").and_then(Value::as_str);
    if named == Some("none") {
        let details = Some("JWT is unsecured but expected 'alg' was not 'none'");
        return Err(Refusal::Token { message: "Wrong or unsupported encoding algorithm".to_owned(), details });
    }
    let algorithm = named.and_then(Algorithm::of).ok_or_else(unreadable)?;
    if header.contains_key("crit") {
        return Err(Refusal::token("Unsupported token type"));
    }
    // All parts are read before a key is looked for.
    let (payload, signed) = (decode(payload)?, &text[..text.len() - signature.len() - 1]);
    let signature = decode(signature)?;
    let no_key = |details| Refusal::Token { message: "No suitable key or wrong key type".to_owned(), details };
    let mut fitting = candidates(keys, header.get("kid").and_then(Value::as_str));
    fitting.retain(|key| key.fits(algorithm));
    if fitting.is_empty() {
        return Err(no_key(Some("No suitable key was found to decode the JWT")));
    }
    if !fitting.iter().any(|key| key.verifies(algorithm, signed.as_bytes(), &signature)) {
        return Err(no_key(Some("None of the keys was able to decode the JWT")));
    }
    Ok(payload)
}

/// Reads the claims of a payload that a signature vouches for.
fn claims(payload: &[u8], settings: &TokenSettings) -> Result<Verdict, Refusal> {
    let unreadable = || Refusal::Claims("Parsing claims failed".to_owned());
    let claims = Value::Object(object(payload).ok_or_else(unreadable)?);
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refusal::Claims(format!("The JWT '{name}' claim must be a number"))),
        },
    };
    check_audience(claims.get("aud"), settings)?;
    let role = match settings.role.find(&claims) {
        None | Some(Value::Null) => Role::Anon,
        Some(Value::String(name)) => {
            let roles = [Role::Anon, Role::Authenticated, Role::Service];
            let known = roles.into_iter().find(|role| role.name() == name);
            known.ok_or_else(|| Refusal::Role(name.chars().take(63).collect()))?
        }
        Some(_) => return Err(unreadable()),
    };
    Ok(Verdict { role, expires_s: time("exp")?, not_before_s: time("nbf")?, issued_s: time("iat")? })
}

/// Whether a token is for us.
fn check_audience(claim: Option<&Value>, settings: &TokenSettings) -> Result<(), Refusal> {
    let malformed = || {
        let message = "The JWT 'aud' claim must be a string or an array of strings";
        Refusal::Claims(message.to_owned())
    };
    let named: Vec<&str> = match claim {
        None => Vec::new(),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().ok_or_else(malformed)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(malformed()),
    };
    let is_ours = match &settings.audience {
        None => true,
        Some(_) if named.is_empty() => settings.missing_audience == MissingAudience::Accept,
        Some(audience) => named.contains(&audience.as_str()),
    };
    if is_ours { Ok(()) } else { Err(Refusal::Claims("JWT not in audience".to_owned())) }
}

/// A JSON object in which no member stands twice: two readers of one token must never see two contents.
fn object(json: &[u8]) -> Option<serde_json::Map<String, Value>> {
    struct Once(serde_json::Map<String, Value>);

    impl<'de> serde::Deserialize<'de> for Once {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Once, D::Error> {
            struct Members;

            impl<'de> serde::de::Visitor<'de> for Members {
                type Value = Once;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Once, A::Error> {
                    let mut members = serde_json::Map::new();
                    while let Some((name, value)) = access.next_entry::<String, Value>()? {
                        if members.insert(name, value).is_some() {
                            return Err(serde::de::Error::custom("a member stands twice"));
                        }
                    }
                    Ok(Once(members))
                }
            }

            deserializer.deserialize_map(Members)
        }
    }

    serde_json::from_slice::<Once>(json).ok().map(|once| once.0)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    const NOW_S: i64 = 1_790_000_000;

    fn signer() -> Hmac<Sha256> {
        Hmac::new_from_slice(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    fn sign(header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut mac = signer();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn role(text: &str) -> Result<Role, Refusal> {
        with(TokenSettings::default(), text)
    }

    fn with(settings: TokenSettings, text: &str) -> Result<Role, Refusal> {
        Verifier::new(b"0123456789abcdef0123456789abcdef", settings).unwrap().verify(text)?.at(NOW_S)
    }

    fn payload(payload: &str) -> Result<Role, Refusal> {
        role(&sign(r#"{"alg":"HS256","typ":"JWT"}"#, payload))
    }

    #[test]
    fn the_role_claim_gives_the_role() {
        assert_eq!(payload(r#"{"role":"anon"}"#), Ok(Role::Anon));
        assert_eq!(payload(r#"{"role":"authenticated","sub":"x"}"#), Ok(Role::Authenticated));
        assert_eq!(payload(r#"{"role":"service_role"}"#), Ok(Role::Service));
        assert_eq!(payload("{}"), Ok(Role::Anon));
        assert_eq!(payload(r#"{"role":"postgres"}"#), Err(Refusal::Role("postgres".to_owned())));
        assert!(matches!(payload(r#"{"role":7}"#), Err(Refusal::Claims(_))));
        assert!(matches!(payload(r#"{"role":"anon","role":"service_role"}"#), Err(Refusal::Claims(_))));
        assert!(matches!(payload("[]"), Err(Refusal::Claims(_))));
    }

    #[test]
    fn times_are_checked_with_half_a_minute_of_slack() {
        for (claims, refused) in [
            (format!(r#"{{"exp":{}}}"#, NOW_S - 29), None),
            (format!(r#"{{"exp":{}}}"#, NOW_S - 31), Some("JWT expired")),
            (format!(r#"{{"nbf":{}}}"#, NOW_S + 29), None),
            (format!(r#"{{"nbf":{}}}"#, NOW_S + 31), Some("JWT not yet valid")),
            (format!(r#"{{"iat":{}}}"#, NOW_S + 31), Some("JWT issued at future")),
            (r#"{"exp":"never"}"#.to_owned(), Some("The JWT 'exp' claim must be a number")),
            (r#"{"nbf":null}"#.to_owned(), Some("The JWT 'nbf' claim must be a number")),
            (format!(r#"{{"exp":{}.5,"iat":{}}}"#, NOW_S, NOW_S), None),
        ] {
            let expected = refused.map_or(Ok(Role::Anon), |message| Err(Refusal::Claims(message.to_owned())));
            assert_eq!(payload(&claims), expected, "{claims}");
        }
    }

    #[test]
    fn the_algorithm_is_ours_to_choose() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{}"#,
            r#"{"alg":"HS256","crit":["x"]}"#,
            r#"{"alg":"HS256","alg":"none"}"#,
        ] {
            assert!(
                matches!(role(&sign(header, r#"{"role":"service_role"}"#)), Err(Refusal::Token { .. })),
                "{header}"
            );
        }
    }

    #[test]
    fn any_change_of_a_signed_token_is_noticed() {
        let token = sign(r#"{"alg":"HS256"}"#, r#"{"role":"anon"}"#);
        assert_eq!(role(&token), Ok(Role::Anon));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(role(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        for (text, message) in [
            ("", "Expected 3 parts in JWT; got 1"),
            ("a.b", "Expected 3 parts in JWT; got 2"),
            ("a.b.c.d", "Expected 3 parts in JWT; got 4"),
            ("a.b.c", "JWT cryptographic operation failed"),
            ("..", "JWT cryptographic operation failed"),
            ("a.b.c.d.e.f.g.h", "Expected 3 parts in JWT; got 8"),
            // {"alg":"FOO"}, {}, and parts that are no base64url beside a good header.
            ("eyJhbGciOiJGT08ifQ.e30.", "JWT cryptographic operation failed"),
            ("e30.e30.", "JWT cryptographic operation failed"),
            ("eyJhbGciOiJIUzI1NiJ9.!.AA", "JWT cryptographic operation failed"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.!", "JWT cryptographic operation failed"),
        ] {
            assert_eq!(role(text), Err(Refusal::token(message)), "{text}");
        }
        assert!(matches!(role(&"a.".repeat(5000)), Err(Refusal::Token { .. })));
    }

    /// rest.md 15: an audience that is wanted must be named, in exactly these words.
    #[test]
    fn a_token_is_for_whom_it_says() {
        let settings = |missing_audience| TokenSettings {
            audience: Some("shop".to_owned()),
            missing_audience,
            ..TokenSettings::default()
        };
        let refused = Err(Refusal::Claims("JWT not in audience".to_owned()));
        for (claims, strict, lenient) in [
            (r#"{"aud":"shop"}"#, true, true),
            (r#"{"aud":["else","shop"]}"#, true, true),
            (r#"{"aud":"Shop"}"#, false, false),
            (r#"{"aud":"shop2"}"#, false, false),
            (r#"{"aud":["else"]}"#, false, false),
            (r#"{"aud":[]}"#, false, true),
            ("{}", false, true),
        ] {
            let token = sign(r#"{"alg":"HS256"}"#, claims);
            for (missing, passes) in [(MissingAudience::Refuse, strict), (MissingAudience::Accept, lenient)] {
                let expected = if passes { Ok(Role::Anon) } else { refused.clone() };
                assert_eq!(with(settings(missing), &token), expected, "{claims} {missing:?}");
            }
        }
        assert!(with(settings(MissingAudience::Accept), &sign(r#"{"alg":"HS256"}"#, r#"{"aud":null}"#)).is_err());
    }

    /// rest.md 15: the role stands where the settings say.
    #[test]
    fn the_role_is_read_by_its_path() {
        let settings =
            || TokenSettings { role: ClaimPath::parse("$.app_metadata.roles[0]").unwrap(), ..TokenSettings::default() };
        let role = |claims: &str| with(settings(), &sign(r#"{"alg":"HS256"}"#, claims));
        assert_eq!(role(r#"{"role":"anon","app_metadata":{"roles":["service_role"]}}"#), Ok(Role::Service));
        assert_eq!(role(r#"{"role":"service_role"}"#), Ok(Role::Anon));
        assert_eq!(role(r#"{"app_metadata":{"roles":["root"]}}"#), Err(Refusal::Role("root".to_owned())));
        assert!(matches!(role(r#"{"app_metadata":{"roles":[7]}}"#), Err(Refusal::Claims(_))));
    }

    /// Keys of each kind, and a token that OpenSSL signed by each algorithm.
    const OTHERS: &str = include_str!("openssl.json");

    fn trusting(text: &str) -> Result<Role, Refusal> {
        with(TokenSettings { keys: Some(OTHERS.to_owned()), ..TokenSettings::default() }, text)
    }

    /// rest.md 15: a JWK set.
    #[test]
    fn keys_of_others_verify_what_they_signed() {
        let others: Value = serde_json::from_str(OTHERS).unwrap();
        let tokens = others["tokens"].as_object().unwrap();
        assert_eq!(tokens.len(), 12);
        for (algorithm, token) in tokens {
            let token = token.as_str().unwrap();
            assert_eq!(trusting(token), Ok(Role::Service), "{algorithm}");
            assert!(matches!(role(token), Err(Refusal::Token { .. })), "{algorithm} by a key that is not configured");
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let (first, rest) = signature.split_at(1);
            let other = if first == "A" { "B" } else { "A" };
            for changed in [format!("{signed}.{other}{rest}"), format!("{signed}."), format!("{signed}.AAAA")] {
                let refused = trusting(&changed);
                assert!(matches!(refused, Err(Refusal::Token { details: Some(_), .. })), "{algorithm}: {refused:?}");
            }
            let (header, payload) = signed.split_once('.').unwrap();
            let root = URL_SAFE_NO_PAD.encode(r#"{"role":"anon"}"#);
            assert_ne!(payload, root);
            assert!(trusting(&format!("{header}.{root}.{signature}")).is_err(), "{algorithm} of other claims");
        }
    }

    /// `security.md` A3: a public key is never taken for a secret, and a `kid` leads to its key alone.
    #[test]
    fn keys_are_not_confused() {
        let others: Value = serde_json::from_str(OTHERS).unwrap();
        let sign_by = |secret: &[u8], header: &str| {
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"));
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(signed.as_bytes());
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
        };
        for key in others["keys"].as_array().unwrap() {
            for member in ["n", "x", "y"] {
                let Some(public) = key[member].as_str() else { continue };
                for secret in [public.as_bytes().to_owned(), URL_SAFE_NO_PAD.decode(public).unwrap()] {
                    for header in
                        [format!(r#"{{"alg":"HS256","kid":{}}}"#, key["kid"]), r#"{"alg":"HS256"}"#.to_owned()]
                    {
                        assert!(trusting(&sign_by(&secret, &header)).is_err(), "{header}");
                    }
                }
            }
        }
        let ours = b"0123456789abcdef0123456789abcdef";
        assert_eq!(trusting(&sign_by(ours, r#"{"alg":"HS256"}"#)), Ok(Role::Anon));
        assert_eq!(trusting(&sign_by(ours, r#"{"alg":"HS256","kid":"nobody's"}"#)), Ok(Role::Anon));
        for kid in ["oct", "rsa", "p256"] {
            assert!(trusting(&sign_by(ours, &format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#))).is_err(), "{kid}");
        }
    }

    #[test]
    fn keys_that_are_no_good_are_refused_at_the_start() {
        let check = |keys: &str, reason: &str| {
            let settings = TokenSettings { keys: Some(keys.to_owned()), ..TokenSettings::default() };
            let told = Verifier::new(&[7; 32], settings).err().unwrap_or_default();
            assert!(told.contains(reason), "{keys}: {told}");
        };
        check("a plain secret", "not JSON");
        check("[]", "no JSON object");
        check(r#"{"keys":{}}"#, "no list");
        check(r#"{"keys":[7]}"#, "no object");
        check(r#"{"keys":[]}"#, "no key in it");
        check(r#"{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}"#, "no key in it");
        check(r#"{"kty":"oct","k":"c2hvcnQ"}"#, "less than 32 octets");
        check(r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "less than 2048 bits");
        check(r#"{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"}"#, "another curve");
        check(r#"{"kty":"EC","crv":"secp256k1","x":"AQAB","y":"AQAB"}"#, "not known");
        check(r#"{"kty":"oct","k":"*"}"#, "no base64url");
        let secret = URL_SAFE_NO_PAD.encode([7; 32]);
        check(&format!(r#"{{"kty":"oct","k":"{secret}","alg":"RS256"}}"#), "not one of its kind");
        check(&format!(r#"{{"kty":"oct","k":"{secret}","alg":"none"}}"#), "not known");
        let many = vec![format!(r#"{{"kty":"oct","k":"{secret}"}}"#); 33].join(",");
        check(&format!(r#"{{"keys":[{many}]}}"#), "more than 32");
    }
}
