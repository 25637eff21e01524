//! Settings of roles, as the authenticator sees them.

use mainstay_postgrest::catalog::{ReadOptions, read};

use super::support::{database, pool_of, run};

#[tokio::test]
async fn settings_of_roles_that_the_authenticator_may_become_are_known() {
    let id = std::process::id();
    let url = database("roles").await;
    let admin = pool_of(&url);
    run(&admin, &format!(
        "CREATE ROLE authenticator_{id} LOGIN NOINHERIT PASSWORD 'sesame'; CREATE ROLE writer_{id}; CREATE ROLE stranger_{id};
         CREATE ROLE plain_{id}; GRANT writer_{id}, plain_{id} TO authenticator_{id};
         ALTER ROLE writer_{id} SET statement_timeout = '7s'; ALTER ROLE writer_{id} SET default_transaction_isolation = 'REPEATABLE READ';
         ALTER ROLE writer_{id} SET log_statement = 'all'; ALTER ROLE writer_{id} SET app.color = 'red';
         ALTER ROLE stranger_{id} SET statement_timeout = '8s'; ALTER ROLE authenticator_{id} SET work_mem = '5MB'"
    )).await;
    let (_, place) = url.split_once('@').expect("a URL with a user");
    let pool = pool_of(&format!("postgres://authenticator_{id}:sesame@{place}"));
    let catalog = read(&pool, &ReadOptions::of(["public"])).await.expect("it can be read");
    assert_eq!(catalog.role_settings.keys().collect::<Vec<_>>(), [&format!("writer_{id}")]);
    let writer = &catalog.role_settings[&format!("writer_{id}")];
    assert_eq!(writer.isolation.as_deref(), Some("repeatable read"));
    // Not what only a superuser may set, nor what the server does not know.
    assert_eq!(writer.settings, [("statement_timeout".to_owned(), "7s".to_owned())]);
    pool.close().await;
    admin.close().await;
}
