//! TLS: whose certificate is believed, and that statements run inside it.

use mainstay_stores::MysqlOptions;
use mainstay_stores::mysql::Pool;

use crate::support::{SERVERS, ask, late, variable};

/// The server's URL for another host name, with these parameters; `{tls}` is the folder of certificates.
async fn met(server: &str, host: &str, parameters: &str) -> Result<String, String> {
    let folder = variable(&server.replace("_URL", "_TLS"));
    let parameters = parameters.replace("{tls}", &folder);
    let url = format!("{}mysql?{parameters}", variable(server).replace("127.0.0.1", host));
    let options = MysqlOptions::parse(&url).map_err(|error| error.to_string())?;
    let pool = Pool::new(options).map_err(|error| error.to_string())?;
    drop(pool.session(late()).await.map_err(|failure| format!("{failure} {failure:?}"))?);
    Ok(ask(&pool, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").await.join(""))
}

#[tokio::test]
async fn certificates_are_verified() {
    for server in SERVERS {
        for (host, parameters, expected) in [
            ("localhost", "ssl-mode=verify-identity&ssl-ca={tls}/ca.pem", Ok(true)),
            ("127.0.0.1", "ssl-mode=verify-identity&ssl-ca={tls}/ca.pem", Err("not valid for name")),
            ("localhost", "ssl-mode=verify-identity&ssl-ca={tls}/other.pem", Err("invalid peer certificate")),
            (
                "127.0.0.1",
                "ssl-mode=verify-ca&ssl-ca={tls}/ca.pem",
                Err("must be disabled, required or verify-identity"),
            ),
            ("127.0.0.1", "ssl-mode=required", Ok(true)),
            ("127.0.0.1", "ssl-mode=disabled", Ok(false)),
            ("localhost", "ssl-mode=verify-identity&ssl-ca={tls}/no-such-file.pem", Err("no-such-file.pem")),
        ] {
            match (met(server, host, parameters).await, expected) {
                (Ok(cipher), Ok(is_secure)) => {
                    assert_eq!(cipher.len() > "Ssl_cipher|".len(), is_secure, "{server} {host} {parameters}: {cipher}");
                }
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{host} {parameters}: {found}"),
                (found, _) => panic!("{server} {host} {parameters}: {found:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    for server in SERVERS {
        // The user `certain` has no password and must show the certificate of this name.
        let own = "ssl-mode=verify-identity&ssl-ca={tls}/ca.pem&user=certain&password=";
        let with = |name: &str| format!("{own}&ssl-cert={{tls}}/{name}.pem&ssl-key={{tls}}/{name}.key");
        met(server, "localhost", &with("certain")).await.expect(server);
        met(server, "localhost", own).await.expect_err(server);
        met(server, "localhost", &with("server")).await.expect_err(server);
    }
}
