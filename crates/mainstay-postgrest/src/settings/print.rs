//! Settings as PostgREST's file would say them, for `--check` and the admin server: what counts, and no secret.

use super::Sources;
use super::known::{Here, KNOWN};
use super::read::find;

/// The settings that count, one a line; those that are secret are there without their values.
pub fn print(sources: &Sources) -> String {
    let mut text = String::new();
    for known in KNOWN.iter().filter(|known| known.here == Here::Same) {
        let value = find(sources, known).unwrap_or(known.default);
        let value = if known.is_secret && !value.is_empty() && !value.starts_with('@') { "[hidden]" } else { value };
        let is_bare = matches!(known.default, "true" | "false") || known.default.parse::<u64>().is_ok();
        match is_bare && known.name != "server-unix-socket-mode" {
            true => text.push_str(&format!("{} = {value}\n", known.name)),
            false => {
                text.push_str(&format!("{} = \"{}\"\n", known.name, value.replace('\\', "\\\\").replace('"', "\\\"")))
            }
        }
    }
    for (name, _) in super::read::app_settings(sources) {
        text.push_str(&format!("{name} = \"[hidden]\"\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mainstay_http::{TxEnd, Verbosity};

    use super::super::{LogLevel, OpenApi, Place, Settings, Sources};
    use super::*;
    use crate::catalog::Name;

    fn read(file: &str, environment: &[(&str, &str)]) -> Result<(Settings, Vec<String>), Vec<String>> {
        let environment = environment.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let told = |mistakes: Vec<super::super::Mistake>| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let sources = Sources::new(Some(file), environment).map_err(told)?;
        let (settings, notices) = sources.read().map_err(told)?;
        Ok((settings, notices.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn defaults_are_those_of_postgrest() {
        let (settings, notices) = read("", &[("USER", "me")]).unwrap();
        assert_eq!(notices, [] as [&str; 0]);
        assert_eq!(
            (settings.schemas.as_slice(), settings.extra_search_path.as_slice()),
            (&["public".to_owned()][..], &["public".to_owned()][..])
        );
        assert_eq!(
            (settings.anon_role, settings.rows_max, settings.aggregates, settings.plans),
            (None, None, false, false)
        );
        assert_eq!((settings.tx_end, settings.verbosity), (TxEnd::Commit, Verbosity::Verbose));
        assert_eq!((settings.openapi, settings.log_level), (OpenApi::FollowPrivileges, LogLevel::Error));
        assert_eq!(settings.place, Place::Tcp("0.0.0.0".to_owned(), 3000));
        assert_eq!((settings.channel.as_deref(), settings.admin), (Some("pgrst"), None));
        assert!(settings.tokens.is_none() && settings.in_database && settings.legacy_target_names);
        assert_eq!(settings.database.limits.connections_max, 10);
        assert_eq!(settings.database.limits.idle_max, Some(Duration::from_secs(30)));
        assert!(settings.database.as_configured && settings.database.named_statements);
        assert_eq!(settings.hoisted.len(), 3);
    }

    #[test]
    fn the_environment_goes_before_the_file_and_new_names_before_old_ones() {
        let file = "db-schema = \"old\"\nserver-port = 1\nmax-rows = 5\npre-request = \"auth.check\"\napp.settings.a = \"1\"\ndb-pool-timeout = 7";
        let environment = [
            ("PGRST_SERVER_PORT", "2"),
            ("PGRST_DB_SCHEMAS", "a, b"),
            ("PGRST_APP_SETTINGS_B", "2"),
            ("PGRST_DB_ANON_ROLE", "web"),
        ];
        let (settings, _) = read(file, &environment).unwrap();
        assert_eq!(settings.place, Place::Tcp("0.0.0.0".to_owned(), 2));
        assert_eq!(settings.schemas, ["a", "b"]);
        assert_eq!(settings.rows_max, Some(5));
        assert_eq!(settings.pre_request, Some(Name::new("auth", "check")));
        assert_eq!(settings.anon_role.as_deref(), Some("web"));
        assert_eq!(settings.database.limits.idle_max, Some(Duration::from_secs(7)));
        let own: Vec<(&str, &str)> = settings.app_settings.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(own, [("app.settings.a", "1"), ("app.settings.b", "2")]);
    }

    #[test]
    fn what_is_not_known_is_named_and_what_is_wrong_is_refused() {
        let (_, notices) = read(
            "db-nonsense = 1\nraw-media-types = \"x\"\ndb-pool-automatic-recovery = true",
            &[("PGRST_OTHER", "1")],
        )
        .unwrap();
        assert_eq!(notices.len(), 4, "{notices:?}");
        assert!(notices[0].starts_with("db-nonsense is not a setting") && notices[3].starts_with("other is not"));
        let file = "server-port = 70000\ndb-tx-end = \"maybe\"\njwt-secret = \"short\"\njwt-role-claim-key = \"x\"\nserver-trace-header = \"a b\"\n\
                    openapi-server-proxy-uri = \"x\"\ndb-schemas = \"pg_catalog\"\ndb-plan-enabled = \"perhaps\"\nserver-unix-socket-mode = \"999\"\ndb-max-rows = \"many\"\nadmin-server-port = 70000";
        let mistakes = read(file, &[]).unwrap_err();
        assert_eq!(mistakes.len(), 11, "{mistakes:#?}");
        assert!(mistakes.iter().all(|mistake| !mistake.contains("short")));
        let mistakes = read("server-port = 80\nadmin-server-port = 80", &[]).unwrap_err();
        assert_eq!(mistakes, ["admin-server-port must not be that of server-port"]);
    }

    #[test]
    fn what_is_printed_holds_no_secret() {
        let environment = vec![
            ("PGRST_JWT_SECRET".to_owned(), "sesame".repeat(8)),
            ("PGRST_DB_URI".to_owned(), "postgres://a:sesame@h/d".to_owned()),
        ];
        let sources = Sources::new(Some("app.settings.k = \"sesame\"\ndb-pool = 3"), environment).unwrap();
        let text = print(&sources);
        assert!(!text.contains("sesame"), "{text}");
        assert!(
            text.contains("db-pool = 3\n")
                && text.contains("jwt-secret = \"[hidden]\"\n")
                && text.contains("server-host = \"!4\"\n")
        );
        assert!(!format!("{sources:?}").contains("sesame"));
    }
}
