//! `db-uri` as libpq reads it: a URI or `host=… dbname=…`, filled up from the `PG…` variables, a password file and the
//! user's name; then given on as a URL of ours.
//!
//! Unlike everywhere else in Mainstay, TLS is `prefer` without being asked for, as libpq has it: that is what whoever
//! switches is used to. A server elsewhere without a word about TLS gets a notice.

use std::collections::BTreeMap;

use mainstay_stores::PostgresOptions;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Variables of the environment, and the keys that they stand for.
const VARIABLES: [(&str, &str); 17] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGAPPNAME", "application_name"),
    ("PGOPTIONS", "options"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
];
/// Keys of libpq that can go without harm.
const HARMLESS: [&str; 10] = [
    "fallback_application_name",
    "sslcompression",
    "sslsni",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "load_balance_hosts",
    "tty",
    "authtype",
    "min_protocol_version",
];
/// Keys that ask for safety which would be missing, or for another server than would be reached.
const REFUSED: [&str; 10] = [
    "require_auth",
    "requirepeer",
    "requiressl",
    "sslcrl",
    "sslcrldir",
    "sslpassword",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "sslcertmode",
    "service",
];

/// Reads a connection string. Gives what should be said of it besides; a mistake never repeats a value.
pub(super) fn parse(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(PostgresOptions, Vec<String>), String> {
    let mut keys = match text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        Some(rest) => of_uri(rest)?,
        None => of_pairs(text)?,
    };
    for (name, key) in VARIABLES {
        if !keys.contains_key(key)
            && let Some(value) = variable(name).filter(|value| !value.is_empty())
        {
            keys.insert(key.to_owned(), value);
        }
    }
    if variable("PGSERVICE").is_some() {
        return Err("service files (PGSERVICE) are not read; name host and database".to_owned());
    }
    let mut notices = Vec::new();
    for refused in REFUSED {
        if keys.contains_key(refused) {
            return Err(format!("{refused} is not supported, and leaving it out might not be safe"));
        }
    }
    for harmless in HARMLESS {
        if keys.remove(harmless).is_some() {
            notices.push(format!("{harmless} has no effect"));
        }
    }
    defaults(&mut keys, &variable, &mut notices);
    let pairs = keys.iter().map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    let url = format!("postgresql:///?{}", pairs.collect::<Vec<_>>().join("&"));
    let options = PostgresOptions::parse(&url).map_err(|error| error.to_string())?;
    Ok((options, notices))
}

/// What libpq takes for what is not said.
fn defaults(
    keys: &mut BTreeMap<String, String>,
    variable: &impl Fn(&str) -> Option<String>,
    notices: &mut Vec<String>,
) {
    let user = || variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "postgres".to_owned());
    let user = keys.entry("user".to_owned()).or_insert_with(user).clone();
    keys.entry("dbname".to_owned()).or_insert(user);
    keys.entry("application_name".to_owned()).or_insert_with(|| "mainstay".to_owned());
    match keys.get("sslmode").map(String::as_str) {
        Some("allow") => drop(keys.insert("sslmode".to_owned(), "prefer".to_owned())),
        Some(_) => {}
        None => {
            let hosts = keys.get("host").map(String::as_str).unwrap_or_default();
            let is_here = |host: &str| {
                let is_loopback = host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
                host.is_empty() || host == "localhost" || host.starts_with(['/', '@']) || is_loopback
            };
            if !hosts.split(',').all(is_here) {
                notices.push(
                    "no sslmode is given, so the server's certificate is not verified; say verify-full".to_owned(),
                );
            }
            keys.insert("sslmode".to_owned(), "prefer".to_owned());
        }
    }
    match keys.get("target_session_attrs").map(String::as_str) {
        Some("primary") => drop(keys.insert("target_session_attrs".to_owned(), "read-write".to_owned())),
        Some("standby") => drop(keys.insert("target_session_attrs".to_owned(), "read-only".to_owned())),
        Some("prefer-standby") => {
            keys.insert("target_session_attrs".to_owned(), "any".to_owned());
            notices.push("target_session_attrs=prefer-standby is taken for any".to_owned());
        }
        _ => {}
    }
    let passfile = keys.remove("passfile").or_else(|| variable("HOME").map(|home| format!("{home}/.pgpass")));
    if !keys.contains_key("password")
        && let Some(password) =
            passfile.and_then(|path| std::fs::read_to_string(path).ok()).and_then(|text| found(&text, keys))
    {
        keys.insert("password".to_owned(), password);
    }
}

/// The password of the first line of a password file that fits: `host:port:database:user:password`.
fn found(text: &str, keys: &BTreeMap<String, String>) -> Option<String> {
    let get = |key: &str, default: &str| keys.get(key).cloned().unwrap_or_else(|| default.to_owned());
    let host = get("host", "localhost");
    let host = if host.starts_with('/') { "localhost".to_owned() } else { host };
    let wanted = [host, get("port", "5432"), get("dbname", ""), get("user", "")];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut characters = line.chars();
        while let Some(c) = characters.next() {
            match c {
                ':' if fields.len() < 5 => fields.push(String::new()),
                '\\' => fields.last_mut()?.extend(characters.next()),
                c => fields.last_mut()?.push(c),
            }
        }
        let fits =
            fields.len() == 5 && fields.iter().zip(&wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| fields.remove(4))
    })
}

fn decode(part: &str, text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| format!("the {part} is not UTF-8 after percent-decoding"))
}

fn of_uri(rest: &str) -> Result<BTreeMap<String, String>, String> {
    let mut keys = BTreeMap::new();
    let mut put = |key: &str, text: &str| -> Result<(), String> {
        if !text.is_empty() {
            keys.insert(key.to_owned(), decode(key, text)?);
        }
        Ok(())
    };
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let hosts = match authority.rsplit_once('@') {
        None => authority,
        Some((login, hosts)) => {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            put("user", user)?;
            put("password", password)?;
            hosts
        }
    };
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((name, port)) => (name, port.strip_prefix(':').unwrap_or_default()),
            None => host.rsplit_once(':').unwrap_or((host, "")),
        };
        names.push(name);
        ports.push(if port.is_empty() { "5432" } else { port });
    }
    put("host", &names.join(","))?;
    if hosts.contains(':') {
        put("port", &ports.join(","))?;
    }
    put("dbname", database)?;
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        put(key, value)?;
    }
    Ok(keys)
}

/// `key = value key='a value'`; a backslash makes the next character one of the value.
fn of_pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let form = || "write a URI (postgresql://…) or pairs such as host=localhost dbname=app".to_owned();
    let mut keys = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(form)?;
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(form());
        }
        let after = after.trim_start();
        let mut characters = after.char_indices();
        let is_quoted = after.starts_with('\'');
        if is_quoted {
            characters.next();
        }
        let (mut value, mut end) = (String::new(), after.len());
        let mut is_closed = !is_quoted;
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => value.extend(characters.next().map(|(_, c)| c)),
                '\'' if is_quoted => {
                    end = at + 1;
                    is_closed = true;
                    break;
                }
                c if c.is_whitespace() && !is_quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        if !is_closed {
            return Err(format!("the value of {key} has no end"));
        }
        keys.insert(key.to_owned(), value);
        rest = after[end..].trim_start();
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<(PostgresOptions, Vec<String>), String> {
        parse(text, |name| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn all_forms_of_a_connection_string() {
        for (text, expected, user) in [
            ("postgres://a:p%40@h:6543/d", "h:6543/d", "a"),
            ("postgresql://h1,h2:1/d?user=b", "h1:5432,h2:1/d", "b"),
            ("postgresql://[::1]:5/d?user=b", "[::1]:5/d", "b"),
            ("host=h port=7 dbname='my d' user=c password='it\\'s'", "h:7/my d", "c"),
            ("host = h  dbname = d user= c", "h:5432/d", "c"),
            ("postgresql://", "env:9/envdb", "envuser"),
            ("dbname=other", "env:9/other", "envuser"),
        ] {
            let environment = [("PGHOST", "env"), ("PGPORT", "9"), ("PGDATABASE", "envdb"), ("PGUSER", "envuser")];
            let environment = if text.contains("host=")
                || text.contains("host ")
                || text.contains("://h")
                || text.contains("//[")
                || text.contains("//a")
            {
                &[][..]
            } else {
                &environment[..]
            };
            let (options, _) = read(text, environment).unwrap_or_else(|what| panic!("{text}: {what}"));
            assert_eq!((options.place().as_str(), options.user()), (expected, Some(user)), "{text}");
        }
        let (options, _) = read("host=localhost", &[("USER", "me")]).unwrap();
        assert_eq!((options.place().as_str(), options.user()), ("localhost:5432/me", Some("me")));
    }

    #[test]
    fn what_would_not_be_safe_is_refused_and_what_does_nothing_is_named() {
        assert!(read("host=h sslcrl=x", &[]).unwrap_err().starts_with("sslcrl is not supported"));
        assert!(read("host=h nonsense=secret", &[]).unwrap_err().contains("nonsense"));
        assert!(!read("host=h port=secret", &[]).unwrap_err().contains("secret"));
        assert!(read("nothing", &[]).is_err());
        assert!(read("host='h", &[]).is_err());
        let (_, notices) = read("host=db.example sslsni=1", &[]).unwrap();
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(read("host=localhost", &[]).unwrap().1.is_empty());
        assert!(read("host=db sslmode=verify-full", &[]).unwrap().1.is_empty());
    }

    #[test]
    fn a_password_file_is_read_as_libpq_reads_it() {
        let keys = of_pairs("host=h dbname=d user=u").unwrap();
        let text = "# comment\nother:*:*:*:no\nh:5432:d:u:se\\:cret:x\n";
        assert_eq!(found(text, &keys).as_deref(), Some("se:cret:x"));
        assert_eq!(found("h:1:d:u:x", &keys), None);
    }
}
