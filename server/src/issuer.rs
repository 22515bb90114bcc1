//! Whose tokens are believed? Those of one identity provider, whose public keys lie in a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use khop::DEFAULT_REALM;
use serde::Deserialize;

use crate::once::now_unix_s;
use crate::policy::{Right, Role};
use crate::principal::Principal;
use crate::watched::{LOOK_EVERY, Watched};

/// A token may not live longer, or whoever finds it has too long.
const LONGEST_S: u64 = 15 * 60;
/// How far two clocks may be apart.
const LEEWAY_S: u64 = 30;
/// More bytes are no token.
const TOKEN_BYTES: usize = 8 << 10;
/// Bytes of the shortest RSA modulus that is believed: 2048 bits.
const RSA_BYTES: usize = 256;

/// An identity provider, as the operator knows it.
#[derive(Debug, Clone)]
pub struct IssuerOptions {
    /// What its tokens say in `iss`.
    pub name: String,
    /// What they say in `aud`, among others.
    pub audience: String,
    /// A file with its public keys, as a JSON Web Key Set (RFC 7517).
    pub keys: PathBuf,
}

/// Why an identity provider's keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: expected a JSON Web Key Set with an ES256, EdDSA or RS256 key that has a kid: {cause}")]
pub struct IssuerError {
    path: PathBuf,
    cause: String,
}

/// Who believes its tokens.
pub(crate) struct Issuer {
    options: IssuerOptions,
    /// A file that cannot be read opens nothing.
    keys: Watched<Keys>,
}

/// By their names. A key is good for one algorithm.
type Keys = BTreeMap<String, (Algorithm, DecodingKey)>;

/// What a token says. Signature, `iss`, `aud`, `exp` and `nbf` are looked at before.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    iat: u64,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    khop_roles: Vec<String>,
    khop_realms: Option<Vec<String>>,
}

impl Issuer {
    /// Reads its keys.
    pub(crate) fn new(options: IssuerOptions) -> Result<Self, IssuerError> {
        let keys = options.read()?;
        let again = options.clone();
        let read = move || again.read().map_err(|error| error.to_string());
        let keys = Watched::new(vec![options.keys.clone()], keys, read, |_| Arc::default());
        Ok(Self { options, keys })
    }

    /// Who shows this token; `None` where it is none, or is not to be believed.
    pub(crate) fn principal(&self, token: &str) -> Option<Principal> {
        if token.len() > TOKEN_BYTES {
            return None;
        }
        let header = decode_header(token).ok()?;
        if header.crit.is_some() {
            return None; // it asks for something that is not understood here (RFC 7515, 4.1.11)
        }
        let keys = self.keys.within(LOOK_EVERY);
        // The key says which algorithm is right, not the token.
        let (algorithm, key) = keys.get(&header.kid?)?;
        let mut validation = Validation::new(*algorithm);
        validation.set_issuer(&[&self.options.name]);
        validation.set_audience(&[&self.options.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S;
        let claims = decode::<Claims>(token, key, &validation).ok()?.claims;
        claims.are_short_lived(now_unix_s()).then(|| claims.principal())?
    }
}

impl IssuerOptions {
    fn read(&self) -> Result<Keys, IssuerError> {
        let error = |cause: String| IssuerError { path: self.keys.clone(), cause };
        let text = fs::read(&self.keys).map_err(|cause| error(cause.to_string()))?;
        let set: JwkSet = serde_json::from_slice(&text).map_err(|cause| error(cause.to_string()))?;
        let mut keys = Keys::new();
        for jwk in &set.keys {
            let (Some(algorithm), Some(name)) = (algorithm(jwk), &jwk.common.key_id) else { continue };
            let key = DecodingKey::from_jwk(jwk).map_err(|cause| error(format!("kid {name:?}: {cause}")))?;
            if keys.insert(name.clone(), (algorithm, key)).is_some() {
                return Err(error(format!("kid {name:?} stands twice")));
            }
        }
        if keys.is_empty() { Err(error("there is none".into())) } else { Ok(keys) }
    }
}

/// What a public key is good for: one algorithm, or nothing that is believed. A secret that both sides share is none.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if jwk.common.public_key_use.as_ref().is_some_and(|use_| *use_ != PublicKeyUse::Signature) {
        return None;
    }
    let fits = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Some(Algorithm::EdDSA),
        // Four digits of base64 are three bytes.
        AlgorithmParameters::RSA(key) if key.n.len() * 3 / 4 >= RSA_BYTES => Some(Algorithm::RS256),
        _ => None,
    };
    let declared = jwk.common.key_algorithm.as_ref();
    fits.filter(|fits| declared.is_none_or(|declared| *declared == KeyAlgorithm::from(*fits)))
}

impl Claims {
    /// Whether it was made already, and ends soon enough after that: one that was made for a day is not believed on its last
    /// quarter of an hour either.
    fn are_short_lived(&self, now: u64) -> bool {
        self.iat <= now + LEEWAY_S && self.exp.saturating_sub(self.iat) <= LONGEST_S
    }

    /// Roles and scopes that are not known give nothing. Who names no realms is in the default one.
    fn principal(self) -> Option<Principal> {
        let may_stand = |c: char| c.is_ascii_graphic();
        if self.sub.is_empty() || self.sub.len() > 64 || !self.sub.chars().all(may_stand) {
            return None;
        }
        let of_roles = self.khop_roles.iter().filter_map(|role| Role::from_name(role)).flat_map(Role::rights).copied();
        let of_scopes = self.scope.split_ascii_whitespace().filter_map(Right::from_name);
        let realms = self.khop_realms.unwrap_or_else(|| vec![DEFAULT_REALM.to_owned()]);
        Some(Principal { name: self.sub, rights: of_roles.chain(of_scopes).collect(), realms: Some(realms) })
    }
}
