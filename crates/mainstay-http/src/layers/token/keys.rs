//! Keys that verify tokens: the project's own secret, and JSON Web Keys of others (RFC 7517, 7518, 8037).
//!
//! What a key verifies is decided by what it is, and by its `alg` if it has one; never by a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

/// Shortest secret that may sign tokens, in octets: as long as the hash, or it could be guessed with less work.
pub const JWT_SECRET_BYTES_MIN: usize = 32;
/// Most keys of a set: a token without `kid` is tried with each that fits.
const KEYS_MAX: usize = 32;
/// Shortest modulus of an RSA key, in octets.
const RSA_BYTES_MIN: usize = 256;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::Hs256),
    ("HS384", Algorithm::Hs384),
    ("HS512", Algorithm::Hs512),
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    /// The one of this name, of those that are known; `none` is not among them.
    pub(super) fn of(name: &str) -> Option<Algorithm> {
        ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }
}

/// A key that verifies.
pub(super) struct VerifyingKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
}

enum Material {
    Secret(Vec<u8>),
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point of an elliptic curve: for ECDSA, or for EdDSA.
    Point(Vec<u8>),
}

impl VerifyingKey {
    /// The key of a secret that has no other name: it verifies HS256 and nothing else.
    pub(super) fn of_secret(secret: &[u8]) -> VerifyingKey {
        VerifyingKey { id: None, algorithms: vec![Algorithm::Hs256], material: Material::Secret(secret.to_owned()) }
    }

    /// Whether this is the key of that name.
    pub(super) fn is_named(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    /// Whether it verifies what was signed like this.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature` is one of `message`.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        use Algorithm::*;

        let rsa = |modulus: &[u8], exponent: &[u8], parameters: &RsaParameters| {
            RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
        };
        let point = |point: &[u8], curve: &'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(curve, point).verify(message, signature).is_ok()
        };
        match (&self.material, algorithm) {
            _ if !self.fits(algorithm) => false,
            (Material::Secret(secret), Hs256) => hmac::<Hmac<Sha256>>(secret, message, signature),
            (Material::Secret(secret), Hs384) => hmac::<Hmac<Sha384>>(secret, message, signature),
            (Material::Secret(secret), Hs512) => hmac::<Hmac<Sha512>>(secret, message, signature),
            (Material::Rsa { modulus, exponent }, algorithm) => match algorithm {
                Rs256 => rsa(modulus, exponent, &signature::RSA_PKCS1_2048_8192_SHA256),
                Rs384 => rsa(modulus, exponent, &signature::RSA_PKCS1_2048_8192_SHA384),
                Rs512 => rsa(modulus, exponent, &signature::RSA_PKCS1_2048_8192_SHA512),
                Ps256 => rsa(modulus, exponent, &signature::RSA_PSS_2048_8192_SHA256),
                Ps384 => rsa(modulus, exponent, &signature::RSA_PSS_2048_8192_SHA384),
                Ps512 => rsa(modulus, exponent, &signature::RSA_PSS_2048_8192_SHA512),
                _ => false,
            },
            (Material::Point(octets), Es256) => point(octets, &signature::ECDSA_P256_SHA256_FIXED),
            (Material::Point(octets), Es384) => point(octets, &signature::ECDSA_P384_SHA384_FIXED),
            (Material::Point(octets), EdDsa) => point(octets, &signature::ED25519),
            (Material::Secret(_) | Material::Point(_), _) => false,
        }
    }
}

/// Compares in a time that tells nothing.
fn hmac<M: Mac + KeyInit>(secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return false };
    mac.update(message);
    mac.verify_slice(signature).is_ok()
}

/// The keys of a JWK, or of a JWK set. Keys that are not for signatures are passed over.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<VerifyingKey>, &'static str> {
    let document: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    let document = document.as_object().ok_or("it is no JSON object")?;
    let keys = match document.get("keys") {
        None => key(document)?.into_iter().collect::<Vec<_>>(),
        Some(list) => {
            let list = list.as_array().ok_or("its keys are no list")?;
            if list.len() > KEYS_MAX {
                return Err("it has more than 32 keys");
            }
            let read = |one: &Value| key(one.as_object().ok_or("a key in it is no object")?);
            list.iter().filter_map(|one| read(one).transpose()).collect::<Result<_, _>>()?
        }
    };
    if keys.is_empty() { Err("no key in it verifies signatures") } else { Ok(keys) }
}

/// One key; `None` if it is not for signatures.
fn key(jwk: &Map<String, Value>) -> Result<Option<VerifyingKey>, &'static str> {
    use Algorithm::*;

    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let octets = |name: &'static str| {
        let decoded = URL_SAFE_NO_PAD.decode(text(name).unwrap_or_default().trim_end_matches('='));
        decoded.ok().filter(|octets| !octets.is_empty()).ok_or("a number of a key is missing, or no base64url")
    };
    let may_verify = jwk.get("key_ops").and_then(Value::as_array).is_none_or(|uses| uses.contains(&"verify".into()));
    if !may_verify || text("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    // The octets of an uncompressed point (SEC 1, 2.3.3), its numbers as long as the curve is wide.
    let point = |width: usize| -> Result<Material, &'static str> {
        let (x, y) = (octets("x")?, octets("y")?);
        let is_whole = x.len() == width && y.len() == width;
        is_whole.then(|| Material::Point([&[4], &x[..], &y[..]].concat())).ok_or("a point of a key is of another curve")
    };
    let (material, fitting) = match (text("kty").unwrap_or_default(), text("crv").unwrap_or_default()) {
        ("oct", _) => {
            let secret = octets("k")?;
            if secret.len() < JWT_SECRET_BYTES_MIN {
                return Err("a secret in it has less than 32 octets");
            }
            (Material::Secret(secret), &[Hs256, Hs384, Hs512][..])
        }
        ("RSA", _) => {
            let modulus = octets("n")?;
            if modulus.len() < RSA_BYTES_MIN {
                return Err("an RSA key in it has less than 2048 bits");
            }
            (Material::Rsa { modulus, exponent: octets("e")? }, &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512][..])
        }
        ("EC", "P-256") => (point(32)?, &[Es256][..]),
        ("EC", "P-384") => (point(48)?, &[Es384][..]),
        ("OKP", "Ed25519") => (Material::Point(octets("x")?), &[EdDsa][..]),
        _ => {
            return Err(
                "a key in it is of a kind that is not known: oct, RSA, EC (P-256, P-384) and OKP (Ed25519) are",
            );
        }
    };
    let algorithms = match text("alg") {
        None => fitting.to_vec(),
        Some(name) => {
            let named = Algorithm::of(name).filter(|algorithm| fitting.contains(algorithm));
            vec![named.ok_or("the alg of a key is not known, or not one of its kind")?]
        }
    };
    Ok(Some(VerifyingKey { id: text("kid").map(str::to_owned), algorithms, material }))
}
