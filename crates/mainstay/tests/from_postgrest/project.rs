//! Projects whose database decides: `rules = "database"`.

use std::path::Path;

use crate::support::{Database, JWT_SECRET, Service, bearer, command};

const KEYS: [(&str, &str); 3] = [
    ("MAINSTAY_PUBLISHABLE_KEY", "ms_publishable_0123456789"),
    ("MAINSTAY_SECRET_KEY", "ms_secret_01234567890123"),
    ("MAINSTAY_JWT_SECRET", JWT_SECRET),
];

fn settings(folder: &Path, more: &str) {
    let text = format!(
        "[stores.main]\nurl = \"env:DATABASE_URL\"\nintrospect = true\n{more}\n[database]\nschemas = [\"api\"]\n\
         anon_role = \"pgrst_test_anon\"\nservice_role = \"pgrst_test_user\"\n"
    );
    std::fs::write(folder.join("mainstay.toml"), text).unwrap();
}

#[test]
fn keys_and_tokens_become_roles_of_the_database() {
    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), "rules = \"database\"");
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.current_dir(folder.path()).env("DATABASE_URL", database.door()).envs(KEYS);
    let service = Service::start(serve, false);
    let publishable = ("apikey", KEYS[0].1);
    let ask = |headers: &[(&str, &str)], path: &str| service.ask("GET", path, headers, "");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while ask(&[publishable], "/rest/v1/films").status == 503 {
        assert!(std::time::Instant::now() < end, "the catalog is read");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(ask(&[], "/health/ready").status, 200);
    let role = "/rest/v1/rpc/setting?name=role";
    assert_eq!(ask(&[publishable], role).body, "\"pgrst_test_anon\"");
    assert_eq!(ask(&[("apikey", KEYS[1].1)], role).body, "\"pgrst_test_user\"");
    let secret = format!("Bearer {}", KEYS[1].1);
    assert_eq!(ask(&[publishable, ("Authorization", &secret)], role).body, "\"pgrst_test_user\"");
    let open = format!("Bearer {}", KEYS[0].1);
    assert_eq!(ask(&[publishable, ("Authorization", &open)], role).body, "\"pgrst_test_anon\"");
    let ann = bearer(r#"{"role":"pgrst_test_user","sub":"ann"}"#);
    assert_eq!(ask(&[publishable, ("Authorization", &ann)], "/rest/v1/secrets?select=id").body, "[{\"id\":1}]");
    for headers in [
        &[][..],
        &[("apikey", "wrong")],
        &[("Authorization", "Bearer wrong")],
        &[("apikey", "wrong"), ("Authorization", &ann)],
    ] {
        assert_eq!(ask(headers, role).status, 401, "{headers:?}");
    }
    assert_eq!(ask(&[publishable], "/films").status, 404, "nothing is outside of /rest/v1");
    assert_eq!(ask(&[publishable], "/rest/v1/secrets").status, 401);
}

/// What the database would refuse must not be let through by rules that nobody wrote.
#[test]
fn no_other_command_serves_it_by_rules_of_ours() {
    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), "rules = \"database\"");
    let mut dev = command(&["dev", "--listen", "127.0.0.1:0"]);
    let printed = dev.current_dir(folder.path()).env("DATABASE_URL", database.door()).envs(KEYS).output().unwrap();
    let errors = String::from_utf8(printed.stderr).unwrap();
    assert!(!printed.status.success() && errors.contains("`mainstay serve` serves it"), "{errors}");
    std::fs::write(folder.path().join("mainstay.toml"), "[stores.main]\nrules = \"database\"\n").unwrap();
    let printed = command(&["serve"]).current_dir(folder.path()).envs(KEYS).output().unwrap();
    let errors = String::from_utf8(printed.stderr).unwrap();
    assert!(printed.status.code() == Some(2) && errors.contains("stores.main.rules"), "{errors}");
}
