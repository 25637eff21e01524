//! Every setting that PostgREST has or had, in one table: what it is called, where it may stand, what becomes of it here.

/// A setting of PostgREST.
#[derive(Debug)]
pub struct Known {
    /// Its name in the file; in the environment it is `PGRST_` and the same in capitals with `_` for `-`.
    pub name: &'static str,
    /// Older names.
    pub aliases: &'static [&'static str],
    /// What it is without being set.
    pub default: &'static str,
    /// Whether it can be set in the database too (`ALTER ROLE … SET pgrst.…`).
    pub in_database: bool,
    /// Whether its value is not to be shown.
    pub is_secret: bool,
    /// What becomes of it.
    pub here: Here,
}

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// It does what it does there.
    Same,
    /// It does nothing, and nothing is lost by that.
    Idle(&'static str),
}

impl Known {
    /// The setting of this name, or that had it once.
    pub fn find(name: &str) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.name == name || known.aliases.contains(&name))
    }

    /// Its name in the environment.
    pub fn variable(name: &str) -> String {
        format!("PGRST_{}", name.to_ascii_uppercase().replace(['-', '.'], "_"))
    }
}

const fn file(name: &'static str, default: &'static str) -> Known {
    Known { name, aliases: &[], default, in_database: false, is_secret: false, here: Here::Same }
}

const fn anywhere(name: &'static str, default: &'static str) -> Known {
    Known { in_database: true, ..file(name, default) }
}

const fn idle(name: &'static str, default: &'static str, why: &'static str) -> Known {
    Known { here: Here::Idle(why), ..file(name, default) }
}

/// The settings in the order of their names; those that begin with `app.settings.` are beside them.
pub const KNOWN: &[Known] = &[
    file("admin-server-host", ""),
    file("admin-server-port", ""),
    anywhere("client-error-verbosity", "verbose"),
    anywhere("db-aggregates-enabled", "false"),
    anywhere("db-anon-role", ""),
    file("db-channel", "pgrst"),
    file("db-channel-enabled", "true"),
    file("db-config", "true"),
    anywhere("db-extra-search-path", "public"),
    anywhere(
        "db-hoisted-tx-settings",
        "statement_timeout, plan_filter.statement_cost_limit, default_transaction_isolation",
    ),
    Known { aliases: &["max-rows"], ..anywhere("db-max-rows", "") },
    anywhere("db-plan-enabled", "false"),
    file("db-pool", "10"),
    file("db-pool-acquisition-timeout", "10"),
    idle("db-pool-automatic-recovery", "true", "a connection that is lost is always made anew"),
    Known { aliases: &["db-pool-timeout"], ..file("db-pool-max-idletime", "30") },
    file("db-pool-max-lifetime", "1800"),
    anywhere("db-pre-config", ""),
    Known { aliases: &["pre-request"], ..anywhere("db-pre-request", "") },
    file("db-prepared-statements", "true"),
    Known { aliases: &["root-spec"], ..anywhere("db-root-spec", "") },
    Known { aliases: &["db-schema"], ..anywhere("db-schemas", "public") },
    idle("db-timezone-enabled", "true", "the server itself checks the names of time zones"),
    anywhere("db-tx-end", "commit"),
    Known { is_secret: true, ..file("db-uri", "postgresql://") },
    anywhere("jwt-aud", ""),
    anywhere("jwt-cache-max-entries", "1000"),
    Known { aliases: &["role-claim-key"], ..anywhere("jwt-role-claim-key", "$.role") },
    Known { is_secret: true, ..anywhere("jwt-secret", "") },
    Known { aliases: &["secret-is-base64"], ..anywhere("jwt-secret-is-base64", "false") },
    file("log-level", "error"),
    file("log-query", "disabled"),
    anywhere("openapi-mode", "follow-privileges"),
    anywhere("openapi-security-active", "false"),
    Known { aliases: &["server-proxy-uri"], ..anywhere("openapi-server-proxy-uri", "") },
    anywhere("server-cors-allowed-origins", ""),
    file("server-host", "!4"),
    file("server-port", "3000"),
    idle("server-reuseport", "false", "a port belongs to one process"),
    anywhere("server-timing-enabled", "false"),
    anywhere("server-trace-header", ""),
    file("server-unix-socket", ""),
    file("server-unix-socket-mode", "660"),
    anywhere("url-use-legacy-target-names", "true"),
];

/// Settings that PostgREST had once, and what took their place.
pub const GONE: &[(&str, &str)] = &[
    ("db-load-guc-config", "it is called db-config"),
    ("db-use-legacy-gucs", "settings of requests are JSON, as request.jwt.claims"),
    ("jwt-cache-max-lifetime", "jwt-cache-max-entries bounds the memory for tokens"),
    ("raw-media-types", "functions that return a domain named like a media type took its place"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_tells_of_every_setting() {
        let guide = include_str!("../../../../docs/postgrest.md");
        let untold: Vec<_> = KNOWN.iter().filter(|known| !guide.contains(&format!("`{}`", known.name))).collect();
        assert!(untold.is_empty(), "{untold:#?}");
    }
}
