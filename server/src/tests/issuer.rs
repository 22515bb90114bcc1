//! Which tokens of an identity provider are believed? Keys made for the test, and a great many tokens that are almost right.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};

use super::*;
use crate::issuer::{Issuer, IssuerOptions};
use crate::once::now_unix_s;
use crate::policy::Right;

const ISS: &str = "https://id.example";
const AUD: &str = "khop";

/// An identity provider with a key for each algorithm, called as it.
struct Provider {
    dir: TempDir,
    keys: Vec<(Algorithm, EncodingKey)>,
    public: Vec<Jwk>,
}

impl Provider {
    fn new() -> Self {
        let pem = |algorithm| KeyPair::generate_for(algorithm).unwrap().serialize_pem();
        let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let keys = vec![
            (Algorithm::ES256, EncodingKey::from_ec_pem(pem(&PKCS_ECDSA_P256_SHA256).as_bytes()).unwrap()),
            (Algorithm::EdDSA, EncodingKey::from_ed_pem(ed25519.serialize_pem().as_bytes()).unwrap()),
            (Algorithm::RS256, EncodingKey::from_rsa_pem(pem(&PKCS_RSA_SHA256).as_bytes()).unwrap()),
        ];
        let x = BASE64_URL_SAFE_NO_PAD.encode(ed25519.public_key_raw());
        let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "kid": "EdDSA", "x": x});
        let public = vec![
            public(keys[0].0, &keys[0].1),
            serde_json::from_value(ed25519).unwrap(),
            public(keys[2].0, &keys[2].1),
        ];
        let provider = Self { dir: tempfile::tempdir().unwrap(), keys, public };
        provider.publish(&provider.public);
        provider
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keys.json")
    }

    fn publish(&self, keys: &[Jwk]) {
        fs::write(self.path(), serde_json::to_vec(&JwkSet { keys: keys.to_vec() }).unwrap()).unwrap();
    }

    fn options(&self) -> IssuerOptions {
        IssuerOptions { name: ISS.into(), audience: AUD.into(), keys: self.path() }
    }

    fn issuer(&self) -> Issuer {
        Issuer::new(self.options()).unwrap()
    }

    /// A token with these claims, signed with the key of that algorithm.
    fn token(&self, algorithm: Algorithm, claims: &Value) -> String {
        self.signed(algorithm, &header(algorithm), claims)
    }

    fn signed(&self, with: Algorithm, header: &Header, claims: &Value) -> String {
        let (_, key) = self.keys.iter().find(|(algorithm, _)| *algorithm == with).unwrap();
        encode(header, claims, key).unwrap()
    }
}

fn header(algorithm: Algorithm) -> Header {
    Header { kid: Some(format!("{algorithm:?}")), ..Header::new(algorithm) }
}

fn public(algorithm: Algorithm, key: &EncodingKey) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
    jwk.common.key_id = Some(format!("{algorithm:?}"));
    jwk
}

fn claims() -> Value {
    json!({"iss": ISS, "aud": [AUD, "others"], "sub": "anna@id", "iat": now_unix_s(), "exp": now_unix_s() + 600, "khop_roles": ["gate"],
        "scope": "openid abis.verify", "khop_realms": ["VN*"]})
}

#[test]
fn each_algorithm_is_believed_with_the_rights_that_its_token_gives() {
    let (provider, issuer) = {
        let provider = Provider::new();
        let issuer = provider.issuer();
        (provider, issuer)
    };
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let principal = issuer.principal(&provider.token(algorithm, &claims())).unwrap();
        assert_eq!(principal.name, "anna@id");
        assert_eq!(principal.rights, [Right::Board, Right::Verify].into());
        assert!(principal.is_granted("VN7") && !principal.is_granted("default"));
    }
    let nowhere =
        with(claims(), json!({"khop_realms": null, "khop_roles": ["root"], "scope": "openid khop.everything"}));
    let principal = issuer.principal(&provider.token(Algorithm::ES256, &nowhere)).unwrap();
    assert!(principal.rights.is_empty() && principal.is_granted("default") && !principal.is_granted("VN7"));
}

#[test]
fn what_is_not_as_it_should_be_is_not_believed() {
    let provider = Provider::new();
    let issuer = provider.issuer();
    let now = now_unix_s();
    for (why, wrong) in [
        ("another issuer", json!({"iss": "https://id.example.org"})),
        ("another audience", json!({"aud": "bank"})),
        ("no audience", json!({"aud": null})),
        ("expired", json!({"exp": now - 60})),
        ("no end", json!({"exp": null})),
        ("an end that is no number", json!({"exp": "never"})),
        ("not yet", json!({"nbf": now + 300})),
        ("for a day", json!({"exp": now + 24 * 3600})),
        ("for a day, of which little is left", json!({"iat": now - 86_000, "exp": now + 400})),
        ("made at no time", json!({"iat": null})),
        ("made tomorrow", json!({"iat": now + 86_400, "exp": now + 86_700})),
        ("nobody", json!({"sub": null})),
        ("an empty name", json!({"sub": ""})),
        ("a long name", json!({"sub": "x".repeat(65)})),
        ("a name of two lines", json!({"sub": "a\nb"})),
        ("roles that are no list", json!({"khop_roles": "admin"})),
        ("too large", json!({"filler": "x".repeat(8 << 10)})),
    ] {
        assert_eq!(issuer.principal(&provider.token(Algorithm::ES256, &with(claims(), wrong))), None, "{why}");
    }
    for (why, with, header) in [
        ("no kid", Algorithm::ES256, Header::new(Algorithm::ES256)),
        ("unknown kid", Algorithm::ES256, Header { kid: Some("k9".into()), ..Header::new(Algorithm::ES256) }),
        ("the kid of another key", Algorithm::ES256, Header { kid: Some("EdDSA".into()), ..header(Algorithm::ES256) }),
        (
            "an algorithm that the key is not for",
            Algorithm::RS256,
            Header { alg: Algorithm::PS256, ..header(Algorithm::RS256) },
        ),
        (
            "something it insists on",
            Algorithm::ES256,
            Header { crit: Some(vec!["b64".into()]), ..header(Algorithm::ES256) },
        ),
    ] {
        assert_eq!(issuer.principal(&provider.signed(with, &header, &claims())), None, "{why}");
    }
    // Whoever takes a public key for a secret that both sides share can sign with it.
    let text = fs::read(provider.path()).unwrap();
    for secret in [text.as_slice(), b""] {
        let header = Header { alg: Algorithm::HS256, ..header(Algorithm::RS256) };
        let forged = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(issuer.principal(&forged), None);
    }
    let others = Provider::new();
    assert_eq!(issuer.principal(&others.token(Algorithm::ES256, &claims())), None, "signed by somebody else");
}

/// splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

fn written(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn of_a_hundred_thousand_changed_tokens_none_is_believed() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= \0";
    let provider = Provider::new();
    let issuer = provider.issuer();
    let good: Vec<String> = provider.keys.iter().map(|(algorithm, _)| provider.token(*algorithm, &claims())).collect();
    assert!(good.iter().all(|token| issuer.principal(token).is_some()));
    let (mut chance, mut believed, mut tried) = (Chance(20_261_127), 0, 0);
    while tried < 100_000 {
        let token = &good[chance.below(good.len())];
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        match chance.below(7) {
            // Another character somewhere: base64 without padding that is read strictly leaves no second spelling.
            0 | 1 => {
                let part = &mut parts[chance.below(3)];
                let (at, by) = (chance.below(part.len()), ALPHABET[chance.below(ALPHABET.len())] as char);
                part.replace_range(at..=at, &by.to_string());
            }
            2 => {
                let part = &mut parts[chance.below(3)];
                part.truncate(chance.below(part.len()));
            }
            3 => {
                let from = good[chance.below(good.len())].split('.').map(str::to_owned).collect::<Vec<_>>();
                let which = chance.below(3);
                parts[which].clone_from(&from[chance.below(3)]);
            }
            4 => {
                let algorithms = ["none", "None", "", "HS256", "HS512", "PS256", "ES384", "EdDSA", "RS256"];
                let kids = ["ES256", "EdDSA", "RS256", "", "../keys.json", "k"];
                let (alg, kid) = (algorithms[chance.below(9)], kids[chance.below(6)]);
                parts[0] = written(&json!({"alg": alg, "kid": kid, "n": chance.below(1 << 20)}));
                if chance.below(2) == 0 {
                    parts[2].clear();
                }
            }
            5 => {
                let (name, value) =
                    [("exp", json!(now_unix_s() + 900)), ("sub", json!("root")), ("khop_roles", json!(["admin"]))]
                        [chance.below(3)]
                    .clone();
                parts[1] = written(&with(with(claims(), json!({name: value})), json!({"n": chance.below(1 << 20)})));
            }
            _ => parts.swap(chance.below(3), chance.below(3)),
        }
        let changed = parts.join(".");
        if good.contains(&changed) {
            continue;
        }
        tried += 1;
        believed += usize::from(issuer.principal(&changed).is_some());
    }
    assert_eq!(believed, 0);
}

#[test]
fn keys_that_changed_are_seen_and_a_file_that_cannot_be_read_opens_nothing() {
    let provider = Provider::new();
    let issuer = provider.issuer();
    let token = provider.token(Algorithm::ES256, &claims());
    let wait = || std::thread::sleep(Duration::from_millis(1100));
    let touch = |after_s| {
        let file = fs::File::options().append(true).open(provider.path()).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(after_s)).unwrap();
    };
    provider.publish(&provider.public[1..]);
    touch(5);
    wait();
    assert_eq!(issuer.principal(&token), None, "its key was withdrawn");
    provider.publish(&provider.public);
    touch(10);
    wait();
    assert!(issuer.principal(&token).is_some());
    fs::write(provider.path(), "{").unwrap();
    touch(15);
    wait();
    assert_eq!(issuer.principal(&token), None);
    provider.publish(&provider.public);
    touch(15); // as old as the one that could not be read: it is tried again all the same
    wait();
    assert!(issuer.principal(&token).is_some());
}

#[test]
fn keys_that_are_not_to_be_believed_are_left_out_and_none_at_all_is_an_error() {
    let provider = Provider::new();
    let es256 = provider.public[0].clone();
    let refused = |keys: &[Jwk]| {
        provider.publish(keys);
        Issuer::new(provider.options()).map(|_| ()).unwrap_err().to_string()
    };
    let nameless = Jwk { common: Default::default(), ..es256.clone() };
    let mut sealing = es256.clone();
    sealing.common.public_key_use = Some(PublicKeyUse::Encryption);
    let secret = public(Algorithm::HS256, &EncodingKey::from_secret(b"everybody knows it"));
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    let es384 = public(Algorithm::ES384, &EncodingKey::from_ec_pem(pem.as_bytes()).unwrap());
    let rsa_1024 = json!({"kty": "RSA", "kid": "short", "n": "x".repeat(171), "e": "AQAB"});
    let rsa_1024: Jwk = serde_json::from_value(rsa_1024).unwrap();
    let mut rs512 = provider.public[2].clone();
    rs512.common.key_algorithm = Some(KeyAlgorithm::RS512);
    assert!(refused(&[nameless, sealing, secret, es384, rsa_1024, rs512]).contains("there is none"));
    assert!(refused(&[es256.clone(), es256]).contains("stands twice"));
    fs::remove_file(provider.path()).unwrap();
    let missing = Issuer::new(provider.options()).map(|_| ()).unwrap_err().to_string();
    assert!(missing.contains("keys.json") && missing.contains("JSON Web Key Set"), "{missing}");
}

#[tokio::test]
async fn a_token_opens_what_it_is_for_and_nothing_else() {
    let provider = Provider::new();
    let rig = Rig::believing(Some(provider.issuer()), tempfile::tempdir().unwrap(), ROOMY, &[]);
    let claims = with(claims(), json!({"khop_roles": ["auditor", "enroller"], "khop_realms": ["default"]}));
    let token = provider.token(Algorithm::EdDSA, &claims);
    for (method, path, status) in [
        ("GET", "/metrics", 200),
        ("GET", "/enrolment/v1/realms/default/galleries", 200),
        ("GET", "/enrolment/v1/realms/north/galleries", 403),
        ("GET", "/admin/v1/realms", 403),
        ("GET", "/enrolment/v1/realms/default/cases", 403),
    ] {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        let answer = rig.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let without = Rig::new();
    let request = Request::get("/metrics").header(AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(without.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}
