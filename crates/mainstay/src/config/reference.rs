//! What the tables say, for people (`docs/settings.md`) and for editors (a JSON Schema of `mainstay.toml`).

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::{Kind, Setting, Settings};

/// The reference page of all settings, in Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in &Settings::SECTIONS {
        let _ = write!(page, "\n## `[{}]`\n\n{}\n\n", section.name, section.doc.trim());
        page.push_str("| setting | what it does | value | default | environment |\n| --- | --- | --- | --- | --- |\n");
        for setting in section.settings {
            let default = setting.default.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
            let mut names = vec![format!("`{}`", section.environment_name(setting))];
            names.extend(setting.environment.iter().map(|name| format!("`{name}`")));
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {default} | {} |",
                setting.name,
                setting.doc.trim(),
                setting.kind.expected(),
                names.join(", ")
            );
        }
    }
    page
}

const INTRODUCTION: &str = "# Settings

<!-- Made from crates/mainstay/src/config by its tests under UPDATE_EXPECT=1; edit there. -->

Settings stand in `mainstay.toml`, one section after the other. Each value comes from the first of:

1. the command line: `--set server.port=9000` (with any command), or an option such as `--listen`,
2. the environment: `MAINSTAY_SERVER_PORT=9000`, then the shorter names in the last column,
3. the same names in the file `.env` of the project folder,
4. `mainstay.toml`,
5. the default.

In `mainstay.toml` a value may be `\"env:NAME\"`, for the value of an environment variable, or `\"file:PATH\"`, for the
text of a file (relative to the project folder): that keeps secrets out of it. A project may have more stores than
`main`: `[stores.NAME]` and `[stores.NAME.access]` take what those of `main` take, under environment names such as
`MAINSTAY_STORES_NAME_URL`; `url` has no default there. A setting that does not exist, or a value
of the wrong kind, stops the start and is shown with its place.
";

/// The JSON Schema of `mainstay.toml`, for editors.
pub fn json_schema() -> String {
    format!("{:#}\n", schema())
}

fn schema() -> Json {
    let mut root = object("Settings of a Mainstay project.");
    for section in &Settings::SECTIONS {
        let mut place = &mut root;
        for part in section.name.split('.') {
            let properties = place["properties"].as_object_mut().expect("`object` gives every place its properties");
            place = properties.entry(part).or_insert_with(|| object(""));
        }
        place["description"] = json!(section.doc.trim());
        place["properties"] = Json::Object(section.settings.iter().map(property).collect::<Map<_, _>>());
    }
    // Stores besides `main` have the same settings, each under a name of its own.
    let mut other = root["properties"]["stores"]["properties"]["main"].clone();
    if let Some(url) = other["properties"]["url"].as_object_mut() {
        url.remove("default");
    }
    root["properties"]["stores"]["patternProperties"] = json!({ "^[a-z][a-z0-9_]*$": other });
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("mainstay.toml");
    root
}

fn object(description: &str) -> Json {
    json!({ "type": "object", "description": description, "additionalProperties": false, "properties": {} })
}

fn property(setting: &Setting) -> (String, Json) {
    let by_reference = json!({ "type": "string", "pattern": "^(env|file):." });
    let mut property = match setting.kind {
        // A plain text schema lets references through as it is.
        Kind::Text | Kind::Form { .. } => json!({ "type": "string", "minLength": 1 }),
        Kind::Secret(_) => by_reference,
        Kind::Number(min, max) | Kind::Seconds(min, max) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": min, "maximum": max }, by_reference] })
        }
        Kind::Flag => json!({ "anyOf": [{ "type": "boolean" }, by_reference] }),
        Kind::Choice(words) => json!({ "anyOf": [{ "enum": words }, by_reference] }),
        Kind::List => json!({ "anyOf": [{ "type": "array", "items": { "type": "string" } }, by_reference] }),
    };
    property["description"] = json!(setting.doc.trim());
    if let Some(default) = setting.default {
        property["default"] = match setting.kind {
            Kind::Number(..) | Kind::Seconds(..) => json!(default.parse::<u64>().expect("defaults are of their kind")),
            Kind::Flag => json!(default == "true"),
            Kind::List => json!([default]),
            _ => json!(default),
        };
    }
    (setting.name.to_owned(), property)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::generated;

    #[test]
    fn the_reference_page_is_what_the_code_gives() {
        generated::check("docs/settings.md", &reference_page());
    }

    #[test]
    fn the_settings_schema_is_what_the_code_gives() {
        generated::check("docs/schema/settings.json", &json_schema());
    }

    #[test]
    fn every_setting_is_in_the_schema_with_its_words() {
        let schema = schema();
        for section in &Settings::SECTIONS {
            for setting in section.settings {
                let pointer =
                    format!("/properties/{}/properties/{}", section.name.replace('.', "/properties/"), setting.name);
                let property = schema.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
                assert!(property["description"].as_str().is_some_and(|words| words.ends_with('.')), "{pointer}");
            }
        }
    }
}
