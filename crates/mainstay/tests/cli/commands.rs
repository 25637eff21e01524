//! Commands that only read and write files.

use std::collections::HashSet;

use crate::support::Folder;

#[test]
fn a_new_project_has_no_mistakes_and_keeps_its_keys() {
    let folder = Folder::new();
    let printed = folder.run(&["init", "shop"]).succeeds();
    assert!(printed.stdout.ends_with("\nNext: mainstay dev shop\n"), "{}", printed.stdout);
    assert!(folder.read("shop/mainstay.toml").contains("name = \"shop\""));
    assert!(folder.read("shop/.gitignore").lines().any(|line| line == "/.mainstay/"));

    let first = folder.run(&["keys", "shop"]).succeeds().stdout;
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("MAINSTAY_PUBLISHABLE_KEY=ms_publishable_"), "{first}");
    assert!(lines[1].starts_with("MAINSTAY_SECRET_KEY=ms_secret_"), "{first}");
    assert!(lines[2].starts_with("MAINSTAY_JWT_SECRET="), "{first}");
    assert_eq!(folder.run(&["keys", "shop"]).succeeds().stdout, first);

    let json = folder.run(&["keys", "shop", "--json"]).succeeds().json();
    assert_eq!(format!("MAINSTAY_SECRET_KEY={}", json["MAINSTAY_SECRET_KEY"].as_str().unwrap()), lines[1]);
}

#[test]
fn keys_of_two_projects_differ() {
    let folder = Folder::new();
    folder.run(&["init", "a"]).succeeds();
    folder.run(&["init", "b"]).succeeds();
    let (a, b) = (folder.run(&["keys", "a"]).succeeds().stdout, folder.run(&["keys", "b"]).succeeds().stdout);
    let lines: HashSet<&str> = a.lines().chain(b.lines()).collect();
    assert_eq!(lines.len(), 6);
}

#[cfg(unix)]
#[test]
fn secrets_are_readable_by_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.run(&["init"]).succeeds();
    folder.run(&["keys"]).succeeds();
    for (path, expected) in [(".mainstay", 0o700), (".mainstay/secrets.toml", 0o600)] {
        let mode = std::fs::metadata(folder.file(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{path}");
    }
    assert_eq!(std::fs::read_dir(folder.file(".mainstay")).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn many_processes_that_need_keys_at_once_agree_on_them() {
    let folder = Folder::new();
    folder.run(&["init"]).succeeds();
    let children: Vec<_> =
        (0..8).map(|_| folder.run(&["keys"]).command.stdout(std::process::Stdio::piped()).spawn().unwrap()).collect();
    let printed: HashSet<Vec<u8>> =
        children.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
    assert_eq!(printed.len(), 1);
}

#[test]
fn init_writes_over_nothing() {
    let folder = Folder::new();
    folder.write("mainstay.toml", "# mine\n");
    folder.write(".gitignore", "/target");
    let printed = folder.run(&["init"]).exits(2);
    assert!(printed.stderr.contains("already has mainstay.toml"), "{}", printed.stderr);
    assert_eq!(folder.read("mainstay.toml"), "# mine\n");
    assert!(!folder.file("schema").exists());

    std::fs::remove_file(folder.file("mainstay.toml")).unwrap();
    folder.run(&["init"]).succeeds();
    assert_eq!(folder.read(".gitignore"), "/target\n/.mainstay/\n/.env\n");
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).succeeds().stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(names.len(), 19, "{names:?}");
    for name in names {
        let help = folder.run(&[name, "--help"]).succeeds().stdout;
        assert!(help.contains("Example") && help.contains(&format!("mainstay {name}")), "{help}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::new();
    for arguments in [
        &["frobnicate"][..],
        &["keys", "--frobnicate"],
        &["import", "products"],
        &["completions", "basic"],
        &["keys", "--set", "server.prot=1"],
        &[],
    ] {
        let printed = folder.run(arguments).exits(2);
        assert!(!printed.stderr.is_empty() && printed.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_folder_without_a_project_is_said_to_be_one() {
    let folder = Folder::new();
    for arguments in [&["keys"][..], &["serve"], &["dev"], &["seed"], &["migrate", "plan"], &["doctor"]] {
        let printed = folder.run(arguments).exits(2);
        assert_eq!(
            printed.stderr,
            "./mainstay.toml:1:1: there is no project in .; name the folder of a project, or make one with \
             `mainstay init DIR`\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn completions_know_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run(&["completions", shell]).succeeds().stdout;
        assert!(script.contains("doctor") && script.contains("explain"), "{shell}");
    }
}

#[test]
fn the_schemas_for_editors_are_json() {
    let folder = Folder::new();
    let settings = folder.run(&["schema", "--settings"]).succeeds().json();
    assert_eq!(settings["title"], "mainstay.toml");
    let tables = folder.run(&["schema"]).succeeds().json();
    assert!(tables["$schema"].is_string(), "{tables}");
}
