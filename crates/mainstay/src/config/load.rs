//! The layers of settings, laid over one another: command line, environment, `.env`, `mainstay.toml`, default.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use mainstay_schema::{MAIN, Mistake};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::named::{self, NamedStore};
use super::value::Value;
use super::{
    AccessSettings, BackupSettings, DatabaseSettings, KeySettings, LimitSettings, LogSettings, ProjectSettings,
    RestSettings, ServerSettings, StoreSettings, StoreUrl,
};
use super::{Kind, Section, Setting, Settings};
use crate::project::place::Place;

/// Name of the settings file in a project folder.
pub(crate) const FILE: &str = "mainstay.toml";

static SECTIONS: [Section; 10] = Settings::SECTIONS;

/// One setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    section: &'static str,
    name: &'static str,
    text: String,
}

impl Override {
    /// Sets `name` in `section`.
    ///
    /// # Errors
    /// That there is no such setting, with a near name.
    pub fn new(section: &str, name: &str, text: impl Into<String>) -> Result<Override, String> {
        let section = find_section(section).map_err(|(problem, remedy)| format!("{problem}; {remedy}"))?;
        let setting = find_setting(&section, name).map_err(|(problem, remedy)| format!("{problem}; {remedy}"))?;
        Ok(Override { section: section.name, name: setting.name, text: text.into() })
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Override, String> {
        let (path, value) = text.split_once('=').ok_or("write SECTION.NAME=VALUE")?;
        let (section, name) = path.rsplit_once('.').ok_or("write SECTION.NAME=VALUE")?;
        Override::new(section, name, value)
    }
}

/// Lays the settings of the project in `folder` over one another. `text` is that of its `mainstay.toml`.
///
/// # Errors
/// Every mistake of every layer; those of a value that another layer hides are told too.
pub fn load(
    folder: &Path,
    text: &str,
    environment: &Environment,
    overrides: &[Override],
) -> Result<Settings, Vec<Mistake>> {
    let mut loader = Loader { folder, text, environment, mistakes: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let problem = format!("this is not TOML ({})", error.message());
        loader.mistake(error.span().map_or(0, |span| span.start), problem, "see https://toml.io for its form".into());
    }
    let given = loader.given(document.get_ref());
    loader.unknown_variables();
    let stores = loader.stores(&given, overrides);
    let settings = Settings {
        project: ProjectSettings::take(loader.section(&ProjectSettings::SECTION, &given, overrides)),
        server: ServerSettings::take(loader.section(&ServerSettings::SECTION, &given, overrides)),
        keys: KeySettings::take(loader.section(&KeySettings::SECTION, &given, overrides)),
        store: StoreSettings::take(loader.section(&StoreSettings::SECTION, &given, overrides)),
        access: AccessSettings::take(loader.section(&AccessSettings::SECTION, &given, overrides)),
        stores,
        database: DatabaseSettings::take(loader.section(&DatabaseSettings::SECTION, &given, overrides)),
        backup: BackupSettings::take(loader.section(&BackupSettings::SECTION, &given, overrides)),
        rest: RestSettings::take(loader.section(&RestSettings::SECTION, &given, overrides)),
        limits: LimitSettings::take(loader.section(&LimitSettings::SECTION, &given, overrides)),
        log: LogSettings::take(loader.section(&LogSettings::SECTION, &given, overrides)),
    };
    let mut mistakes = loader.mistakes;
    if mistakes.is_empty() {
        return Ok(settings);
    }
    mistakes.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    Err(mistakes)
}

/// Whether settings are about stores besides `main`, however wrong they are. Of those nothing is known then, so that
/// nothing that schema files say of them can be judged.
pub fn names_stores(text: &str, overrides: &[Override]) -> bool {
    let (document, _) = DeTable::parse_recoverable(text);
    let written = document.get_ref().get("stores").and_then(|stores| stores.get_ref().as_table());
    written.is_some_and(|stores| stores.keys().any(|name| name.get_ref() != MAIN))
        || overrides.iter().any(|given| named::store_of(given.section).is_some())
}

/// A value that stands in `mainstay.toml`.
struct Given<'a> {
    section: &'static str,
    setting: &'static str,
    value: &'a Spanned<DeValue<'a>>,
}

struct Loader<'a> {
    folder: &'a Path,
    text: &'a str,
    environment: &'a Environment,
    mistakes: Vec<Mistake>,
}

impl Loader<'_> {
    fn mistake(&mut self, offset: usize, problem: String, remedy: String) {
        self.mistakes.push(Place::of(self.text, offset).mistake(FILE, problem, remedy));
    }

    /// Every value of the document that belongs to a known setting; the rest is told as mistakes.
    fn given<'t>(&mut self, document: &'t DeTable<'t>) -> Vec<Given<'t>> {
        let mut given = Vec::new();
        self.walk("", document, &mut given);
        given
    }

    fn walk<'t>(&mut self, prefix: &str, table: &'t DeTable<'t>, given: &mut Vec<Given<'t>>) {
        for (key, value) in table {
            let offset = key.span().start;
            let name = key.get_ref();
            let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
            match (value.get_ref(), find_section(prefix)) {
                (DeValue::Table(inner), _) if leads_to_section(&path) => self.walk(&path, inner, given),
                (other, _) if leads_to_section(&path) => {
                    let problem = format!("{path} is {}", described(other));
                    self.mistake(value.span().start, problem, format!("write a section: [{path}]"));
                }
                (_, Ok(section)) => match find_setting(&section, name) {
                    Ok(setting) => given.push(Given { section: section.name, setting: setting.name, value }),
                    Err((problem, remedy)) => self.mistake(offset, problem, remedy),
                },
                (_, Err(_)) => {
                    let (problem, remedy) = unknown_section(&path);
                    self.mistake(offset, problem, remedy);
                }
            }
        }
    }

    /// Variables that look like settings of a known section and are none: misspelt, and otherwise without effect.
    fn unknown_variables(&mut self) {
        for section in &SECTIONS {
            let prefix = section.environment_prefix();
            let known: Vec<String> = section.settings.iter().map(|setting| section.environment_name(setting)).collect();
            // The names of a section below this one begin in the same way.
            let is_below = |name: &str| {
                let below = SECTIONS.iter().map(Section::environment_prefix);
                below.filter(|below| below.len() > prefix.len()).any(|below| name.starts_with(&below))
            };
            let names = self.environment.names(&prefix).filter(|name| !is_below(name));
            let unknown = names.filter(|name| !known.iter().any(|known| known == name));
            let mistakes: Vec<Mistake> = unknown
                .filter_map(|name| Some((name, self.environment.find(name)?)))
                .map(|(name, variable)| {
                    let problem = format!("{name} is no setting");
                    variable.mistake(name, problem, nearest(name, known.iter().map(String::as_str)))
                })
                .collect();
            self.mistakes.extend(mistakes);
        }
    }

    /// The stores besides `main`: those with a section, or that the command line names.
    fn stores(&mut self, given: &[Given<'_>], overrides: &[Override]) -> Vec<NamedStore> {
        let sections = given.iter().map(|given| given.section).chain(overrides.iter().map(|given| given.section));
        let names: BTreeSet<&str> = sections.filter_map(named::store_of).collect();
        names.into_iter().filter_map(|name| self.store(name, given, overrides)).collect()
    }

    fn store(&mut self, name: &str, given: &[Given<'_>], overrides: &[Override]) -> Option<NamedStore> {
        let section = named::section(&format!("stores.{name}"))?;
        let access = named::section(&format!("stores.{name}.access"))?;
        let before = self.mistakes.len();
        let values = self.section(&section, given, overrides);
        let access = AccessSettings::take(self.section(&access, given, overrides));
        // The first setting is its URL, which no other layer need have told.
        if values.first().is_none_or(Option::is_none) {
            if self.mistakes.len() == before {
                let written = given.iter().find(|given| named::store_of(given.section) == Some(name));
                let offset = written.map_or(0, |given| given.value.span().start);
                let remedy = format!("write url = \"env:{}_URL\", or the URL itself", name.to_uppercase());
                self.mistake(offset, format!("the store {name} has no url"), remedy);
            }
            return None;
        }
        Some(NamedStore { name: name.to_owned(), store: StoreSettings::take(values), access })
    }

    /// The value of each setting of a section, in order.
    fn section(&mut self, section: &Section, given: &[Given<'_>], overrides: &[Override]) -> Vec<Option<Value>> {
        section.settings.iter().map(|setting| self.setting(section, setting, given, overrides)).collect()
    }

    fn setting(
        &mut self,
        section: &Section,
        setting: &Setting,
        given: &[Given<'_>],
        overrides: &[Override],
    ) -> Option<Value> {
        let written = given.iter().find(|given| given.section == section.name && given.setting == setting.name);
        // Read even when another layer hides it: a mistake in the file is a mistake.
        let written = written.and_then(|given| self.in_file(section, setting, given.value));
        let in_environment = self.in_environment(section, setting);
        let on_command_line = self.on_command_line(section, setting, overrides);
        let default = || setting.default.map(|text| setting.kind.read(text).expect("defaults are of their kind"));
        on_command_line.or(in_environment).or(written).or_else(default)
    }

    fn on_command_line(&mut self, section: &Section, setting: &Setting, given: &[Override]) -> Option<Value> {
        // Whoever names a setting twice means the last one, as with any option of a command.
        let last = given.iter().rfind(|given| given.section == section.name && given.name == setting.name)?;
        setting
            .kind
            .read(&last.text)
            .map_err(|problem| {
                self.mistakes.push(Mistake {
                    file: "command line".into(),
                    line: 1,
                    column: 1,
                    problem: format!("{}.{} {problem}", section.name, setting.name),
                    remedy: format!("give {}", setting.kind.expected()),
                })
            })
            .ok()
    }

    fn in_environment(&mut self, section: &Section, setting: &Setting) -> Option<Value> {
        let own = section.environment_name(setting);
        let names = std::iter::once(own.as_str()).chain(setting.environment.iter().copied());
        // An empty variable is how a shell says "not set" for one command.
        let (name, variable) = names
            .filter_map(|name| Some((name, self.environment.find(name)?)))
            .find(|(_, variable)| !variable.value.is_empty())?;
        match setting.kind.read(variable.value) {
            Ok(value) => Some(value),
            Err(problem) => {
                let remedy = format!("set it to {}", setting.kind.expected());
                self.mistakes.push(variable.mistake(name, format!("{name} {problem}"), remedy));
                None
            }
        }
    }

    fn in_file(&mut self, section: &Section, setting: &Setting, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        let outcome = match value.get_ref() {
            DeValue::String(text) => match self.referred(text) {
                Some(Ok(text)) => setting.kind.read(&text),
                Some(Err((problem, remedy))) => {
                    self.mistake(value.span().start, problem, remedy);
                    return None;
                }
                None if matches!(setting.kind, Kind::Secret(_)) => {
                    let problem = format!("{}.{} stands in a file that others read", section.name, setting.name);
                    self.mistake(value.span().start, problem, "write \"env:NAME\" or \"file:PATH\"".to_owned());
                    return None;
                }
                None if section.name.starts_with("stores.") && StoreUrl::holds_password(text) => {
                    let problem =
                        format!("{}.{} holds a password, in a file that others read", section.name, setting.name);
                    let store = named::store_of(section.name).unwrap_or("database");
                    let remedy = format!("write \"env:{}_URL\"", store.to_uppercase());
                    self.mistake(value.span().start, problem, remedy);
                    return None;
                }
                None => setting.kind.accept(Value::Text(text.to_string())),
            },
            other => setting.kind.accept(plain(other)),
        };
        outcome
            .map_err(|problem| {
                let problem = format!("{}.{} {problem}", section.name, setting.name);
                self.mistake(value.span().start, problem, format!("write {}", setting.kind.expected()));
            })
            .ok()
    }

    /// What `env:NAME` or `file:PATH` stands for; nothing for any other text.
    fn referred(&self, text: &str) -> Option<Result<String, (String, String)>> {
        if let Some(name) = text.strip_prefix("env:") {
            let value = self.environment.find(name).map(|variable| variable.value.to_owned());
            return Some(value.ok_or_else(|| {
                let remedy = format!("set {name} in the environment or in .env, or leave the setting out");
                (format!("the environment variable {name} is not set"), remedy)
            }));
        }
        let path = text.strip_prefix("file:")?;
        let text = std::fs::read_to_string(self.folder.join(path));
        Some(text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(|error| {
            let remedy = "name a readable text file, relative to the project folder".to_owned();
            (format!("the file {path} cannot be read ({error})"), remedy)
        }))
    }
}

/// A TOML value that is not text.
fn plain(value: &DeValue<'_>) -> Value {
    let other = || Value::Other(described(value));
    match value {
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(number) => {
            u64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| other(), Value::Number)
        }
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().map_or(Value::Other("a list of other things than texts"), Value::List)
        }
        _ => other(),
    }
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(number) if number.as_str().starts_with('-') => "a negative number",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// Whether `path` is a section, or the beginning of the name of one.
fn leads_to_section(path: &str) -> bool {
    let leads_to = |section: &Section| {
        section.name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    SECTIONS.iter().any(leads_to) || named::section(path).is_some()
}

/// What is wrong, and what would be right.
type Told = (String, String);

fn find_section(name: &str) -> Result<Section, Told> {
    let known = SECTIONS.iter().find(|section| section.name == name).copied();
    known.or_else(|| named::section(name)).ok_or_else(|| unknown_section(name))
}

fn unknown_section(name: &str) -> Told {
    if let Some(store) = name.strip_prefix("stores.") {
        let remedy = "write lower case letters, digits and _ after stores, beginning with a letter".to_owned();
        return (format!("{store:?} cannot be the name of a store"), remedy);
    }
    let names = SECTIONS.iter().map(|section| section.name);
    (format!("there is no section or setting {name}"), nearest(name, names))
}

fn find_setting(section: &Section, name: &str) -> Result<&'static Setting, Told> {
    section.settings.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let names = section.settings.iter().map(|setting| setting.name);
        (format!("there is no setting {}.{name}", section.name), nearest(name, names))
    })
}

/// What to write instead of `name`: the one it resembles, or the whole choice.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match mainstay_schema::near::near(name, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn environment(process: &[(&str, &str)], file: &str) -> Environment {
        let process = process.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(process.collect::<BTreeMap<_, _>>(), file).unwrap()
    }

    fn loaded(text: &str, environment: &Environment, overrides: &[&str]) -> Result<Settings, Vec<Mistake>> {
        let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        load(Path::new("/nowhere"), text, environment, &overrides)
    }

    #[track_caller]
    fn check_mistakes(text: &str, expected: &[&str]) {
        let mistakes = loaded(text, &Environment::default(), &[]).unwrap_err();
        assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn every_default_is_of_its_kind_and_type() {
        let settings = loaded("", &Environment::default(), &[]).unwrap();
        assert_eq!((settings.server.host.as_str(), settings.server.port), ("127.0.0.1", 8080));
        assert_eq!(settings.server.cors_origins, ["*"]);
    }

    #[test]
    fn every_bound_of_every_number_fits_its_type() {
        for section in &SECTIONS {
            for setting in section.settings {
                let (Kind::Number(min, max) | Kind::Seconds(min, max)) = setting.kind else { continue };
                for bound in [min, max] {
                    let path = format!("{}.{}={bound}", section.name, setting.name);
                    assert!(loaded("", &Environment::default(), &[&path]).is_ok(), "{path}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_layer_counts() {
        let text = "[server]\nport = 1";
        let port =
            |environment: &Environment, overrides: &[&str]| loaded(text, environment, overrides).unwrap().server.port;
        assert_eq!(port(&Environment::default(), &[]), 1);
        assert_eq!(port(&environment(&[], "PORT=2"), &[]), 2);
        assert_eq!(port(&environment(&[], "PORT=2\nMAINSTAY_SERVER_PORT=3"), &[]), 3);
        assert_eq!(port(&environment(&[("PORT", "4")], "PORT=2"), &[]), 4);
        assert_eq!(port(&environment(&[("PORT", "4"), ("MAINSTAY_SERVER_PORT", "5")], ""), &[]), 5);
        assert_eq!(port(&environment(&[("PORT", "4")], ""), &["server.port=6"]), 6);
        assert_eq!(port(&environment(&[("PORT", "4")], ""), &["server.port=6", "server.port=7"]), 7);
        assert_eq!(port(&environment(&[("PORT", "")], ""), &[]), 1, "an empty variable is not set");
    }

    #[test]
    fn values_may_stand_elsewhere() {
        let environment = environment(&[("LISTEN", "9000")], "WEB=https://a.example, https://b.example");
        let text = "[server]\nport = \"env:LISTEN\"\ncors_origins = \"env:WEB\"";
        let settings = loaded(text, &environment, &[]).unwrap();
        assert_eq!(settings.server.port, 9000);
        assert_eq!(settings.server.cors_origins, ["https://a.example", "https://b.example"]);
        check_mistakes(
            "[server]\nport = \"env:NOPE\"",
            &["mainstay.toml:2:8: the environment variable NOPE is not set; \
               set NOPE in the environment or in .env, or leave the setting out"],
        );
        let mistakes = loaded("[keys]\nsecret = \"file:nope\"", &Environment::default(), &[]).unwrap_err();
        assert!(mistakes[0].to_string().starts_with("mainstay.toml:2:10: the file nope cannot be read"));
    }

    #[test]
    fn every_mistake_is_told_in_the_order_of_its_place() {
        check_mistakes(
            "[server]\nprot = 1\nport = 70000\n[limit]\nx = 1\n[log]\nformat = \"yaml\"\n[keys]\nsecret = \"short\"\n",
            &[
                "mainstay.toml:2:1: there is no setting server.prot; did you mean port?",
                "mainstay.toml:3:8: server.port is 70000; write a whole number from 0 to 65535",
                "mainstay.toml:4:2: there is no section or setting limit; did you mean limits?",
                "mainstay.toml:7:10: log.format is \"yaml\"; write one of auto, text, json",
                "mainstay.toml:9:10: keys.secret stands in a file that others read; write \"env:NAME\" or \"file:PATH\"",
            ],
        );
    }

    #[test]
    fn values_of_the_wrong_type_are_refused() {
        check_mistakes(
            "server = 1\n[limits]\nitems_max = -1\nembeds_max = 1.5\n[project]\nname = true\n[stores]\nmain = \"x\"",
            &[
                "mainstay.toml:1:10: server is a number; write a section: [server]",
                "mainstay.toml:3:13: limits.items_max is a negative number; write a whole number from 1 to 10000",
                "mainstay.toml:4:14: limits.embeds_max is a number with a fraction; write a whole number from 0 to 256",
                "mainstay.toml:6:8: project.name is true or false; write a text",
                "mainstay.toml:8:8: stores.main is a text; write a section: [stores.main]",
            ],
        );
    }

    #[test]
    fn another_store_or_engine_is_refused_without_its_password() {
        check_mistakes(
            "[stores.Events]\nurl = \"x\"\n[stores.main]\nurl = \"redis://u:hunter2@h/d\"",
            &[
                "mainstay.toml:1:9: \"Events\" cannot be the name of a store; write lower case letters, digits and _ after \
                 stores, beginning with a letter",
                "mainstay.toml:4:7: stores.main.url names a redis database, but this build serves sqlite, postgres, \
                 mysql, mariadb and mongodb; write sqlite: and the path of the file, as in sqlite:.mainstay/main.db, or \
                 postgres://USER@HOST/DATABASE, or mysql://…, mongodb://…",
            ],
        );
        check_mistakes(
            "[stores.events]\nintrospect = true\n[stores.log]\nurl = \"postgres://u:hunter2@h/d\"",
            &[
                "mainstay.toml:2:14: the store events has no url; write url = \"env:EVENTS_URL\", or the URL itself",
                "mainstay.toml:4:7: stores.log.url holds a password, in a file that others read; write \"env:LOG_URL\"",
            ],
        );
        check_mistakes(
            "[stores.main]\nurl = \"postgres://u:hunter2@h/d\"",
            &[
                "mainstay.toml:2:7: stores.main.url holds a password, in a file that others read; write \"env:DATABASE_URL\"",
            ],
        );
    }

    #[test]
    fn a_project_may_have_several_stores() {
        let text = "[stores.docs]\nurl = \"env:DOCS\"\nconnections_max = 3\n[stores.docs.access]\nread = true";
        let environment = environment(&[("DOCS", "sqlite:docs.db"), ("MAINSTAY_STORES_DOCS_INTROSPECT", "true")], "");
        let settings =
            loaded(text, &environment, &["stores.docs.readers=5", "stores.more.url=sqlite:more.db"]).unwrap();
        let names: Vec<&str> = settings.all_stores().map(|(name, ..)| name).collect();
        assert_eq!(names, ["main", "docs", "more"]);
        let docs = &settings.stores[0];
        assert_eq!((docs.store.connections_max, docs.store.readers, docs.store.introspect), (3, 5, true));
        assert!(docs.access.read && !settings.access.read && !settings.store.introspect);
        let of_another = loaded(
            "",
            &self::environment(&[("DATABASE_URL", "sqlite:other.db")], ""),
            &["stores.docs.url=sqlite:d.db"],
        );
        assert_eq!(of_another.unwrap().stores[0].store.url, StoreUrl::Sqlite("d.db".into()));
    }

    #[test]
    fn text_that_is_not_toml_is_told_with_its_place() {
        let mistakes = loaded("[server]\nport = = 1\nhost = \"a\n", &Environment::default(), &[]).unwrap_err();
        let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert!(lines.contains(&2) && lines.contains(&3), "{mistakes:?}");
        assert!(mistakes[0].problem.starts_with("this is not TOML ("), "{mistakes:?}");
    }

    #[test]
    fn variables_with_mistakes_are_told() {
        let environment =
            environment(&[("MAINSTAY_SECRET_KEY", "short"), ("PORT", "http")], "\nMAINSTAY_SERVER_HOTS=a");
        let told: Vec<String> = loaded("", &environment, &[]).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "$MAINSTAY_SECRET_KEY:1:1: MAINSTAY_SECRET_KEY has 5 characters; \
                 set it to a text of at least 16 characters",
                "$PORT:1:1: PORT is \"http\"; set it to a whole number from 0 to 65535",
                ".env:2:1: MAINSTAY_SERVER_HOTS is no setting; did you mean MAINSTAY_SERVER_HOST?",
            ]
        );
    }

    #[test]
    fn the_command_line_names_settings_that_exist() {
        assert_eq!(
            "server.prot=1".parse::<Override>().unwrap_err(),
            "there is no setting server.prot; did you mean port?"
        );
        assert_eq!("port=1".parse::<Override>().unwrap_err(), "write SECTION.NAME=VALUE");
        assert!("stores.main.url=sqlite:a=b.db".parse::<Override>().is_ok());
    }
}
