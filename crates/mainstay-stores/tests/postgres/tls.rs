//! TLS: whose certificate is believed, and that everything works inside it.

use std::time::Duration;

use mainstay_store::Cell;
use mainstay_stores::postgres::{Pool, PostgresOptions};

use crate::support::{late, one, pool, session, until, url, variable};

/// The server's URL for another host name, with these parameters; `{tls}` is the folder of certificates.
fn secure(host: &str, parameters: &str) -> Result<Pool, String> {
    let parameters = parameters.replace("{tls}", &variable("MAINSTAY_TEST_POSTGRES_TLS"));
    let url = url().replace("127.0.0.1", host).replace("sslmode=disable", &parameters);
    let options = PostgresOptions::parse(&url).map_err(|error| error.to_string())?;
    Pool::new(options).map_err(|error| error.to_string())
}

async fn check(host: &str, parameters: &str, expected: Result<(), &str>) {
    let met = async {
        let pool = secure(host, parameters)?;
        let mut session = pool.session(late()).await.map_err(|failure| {
            let mut text = String::new();
            let mut next: Option<&dyn std::error::Error> = Some(&failure);
            while let Some(error) = next {
                text.push_str(&format!("{error}; "));
                next = error.source();
            }
            format!("{text} {failure:?}")
        })?;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Ok::<_, String>(one(&mut session, sql, &[]).await)
    };
    match (met.await, expected) {
        (Ok(is_secure), Ok(())) => assert_eq!(is_secure, "Bool(true)", "{host} {parameters}"),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{host} {parameters}: {found}"),
        (found, _) => panic!("{host} {parameters}: {found:?}"),
    }
}

#[tokio::test]
async fn certificates_are_verified() {
    check("localhost", "sslmode=verify-full&sslrootcert={tls}/ca.pem", Ok(())).await;
    check("127.0.0.1", "sslmode=verify-full&sslrootcert={tls}/ca.pem", Err("NotValidForName")).await;
    check("127.0.0.1", "sslmode=verify-ca&sslrootcert={tls}/ca.pem", Ok(())).await;
    check("localhost", "sslmode=verify-full&sslrootcert={tls}/other.pem", Err("InvalidCertificate")).await;
    check("127.0.0.1", "sslmode=verify-ca&sslrootcert={tls}/other.pem", Err("InvalidCertificate")).await;
    check("127.0.0.1", "sslmode=require&sslrootcert={tls}/other.pem", Err("InvalidCertificate")).await;
    check("127.0.0.1", "sslmode=require", Ok(())).await;
    check("127.0.0.1", "sslmode=prefer", Ok(())).await;
    check("localhost", "sslmode=verify-full&sslrootcert={tls}/no-such-file.pem", Err("no-such-file.pem")).await;
    check("localhost", "sslmode=verify-full&sslrootcert={tls}/ca.key", Err("it holds no certificate")).await;
    // The password is bound to this very connection.
    check("localhost", "sslmode=verify-full&sslrootcert={tls}/ca.pem&channel_binding=require", Ok(())).await;
    check("localhost", "sslmode=disable&channel_binding=require", Err("channel binding")).await;
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let mut admin = session(&pool()).await;
    admin.batch_execute("DROP ROLE IF EXISTS certain; CREATE ROLE certain LOGIN").await.expect("a role");
    let own = "sslmode=verify-full&sslrootcert={tls}/ca.pem&user=certain";
    check("localhost", &format!("{own}&sslcert={{tls}}/certain.pem&sslkey={{tls}}/certain.key"), Ok(())).await;
    check("localhost", own, Err("28000")).await;
    check("localhost", &format!("{own}&sslcert={{tls}}/server.pem&sslkey={{tls}}/server.key"), Err("28000")).await;
    admin.batch_execute("DROP ROLE certain").await.expect("no role");
}

#[tokio::test]
async fn a_statement_inside_tls_is_canceled_inside_tls() {
    let (pool, watch) = (secure("localhost", "sslmode=verify-full&sslrootcert={tls}/ca.pem").expect("a pool"), pool());
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60) in_tls' AND state = 'active'";
    let mut held = session(&pool).await;
    tokio::select! {
        _ = held.query_all("SELECT pg_sleep(60) in_tls", &[]) => panic!("it sleeps for a minute"),
        () = until(&watch, running, Cell::Int(1)) => {}
    }
    drop(held);
    tokio::time::timeout(Duration::from_secs(10), until(&watch, running, Cell::Int(0))).await.expect("it is canceled");
}
