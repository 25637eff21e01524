//! The rows of a project, and what its functions take and give, as types of programming languages: plain data, one file for
//! each language.
//!
//! A pure function of the schema. Names go through [`names`], so that whatever a table is called, the text that comes
//! out is a program. Called by `mainstay types`; knows no HTTP.

mod csharp;
mod go;
mod java;
mod names;
mod php;
mod python;
mod ruby;
mod rust;
mod typescript;

use std::collections::BTreeMap;

use clap::ValueEnum;
use mainstay_schema::{Column, Function, Returns, Schema, Table};

/// A language that types can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// What supabase-js takes as `createClient<Database>`
    Typescript,
    /// Typed dictionaries
    Python,
    /// Records
    Java,
    /// Classes with data contracts
    Csharp,
    /// Readonly classes
    Php,
    /// Structs with keywords
    Ruby,
    /// Structs with tags for JSON
    Go,
    /// Structs for serde
    Rust,
}

/// The types of every table, view and function in this language.
pub fn types(schema: &Schema, language: Language) -> String {
    let tables = Model::new(schema);
    match language {
        Language::Typescript => typescript::write(&tables),
        Language::Python => python::write(&tables),
        Language::Java => java::write(&tables),
        Language::Csharp => csharp::write(&tables),
        Language::Php => php::write(&tables),
        Language::Ruby => ruby::write(&tables),
        Language::Go => go::write(&tables),
        Language::Rust => rust::write(&tables),
    }
}

/// What all languages write.
struct Model<'s> {
    schema: &'s Schema,
    /// The tables and views.
    tables: Vec<Entity<'s>>,
    /// What functions are called with, and the rows they give back that are no table's.
    calls: Vec<Entity<'s>>,
}

/// Columns that a type is made of, with the name that it has.
struct Entity<'s> {
    of: Of<'s>,
    columns: &'s [Column],
    /// `OrderLines`; with `Insert` or `Update` behind it, it is free as well.
    class: String,
}

/// Whose columns they are.
#[derive(Clone, Copy)]
enum Of<'s> {
    /// A table's or view's.
    Table(&'s Table),
    /// The parameters of a function.
    Arguments(&'s Function),
    /// The rows that a function gives back.
    Result(&'s Function),
}

/// One type of an entity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A row as it is read.
    Row,
    /// What is sent: a new row, or arguments. What has a default may be left out.
    Sent,
}

impl Form {
    fn is_sent(self) -> bool {
        self == Form::Sent
    }
}

impl<'s> Model<'s> {
    fn new(schema: &'s Schema) -> Model<'s> {
        let mut classes = names::Names::default();
        let tables = schema.tables().iter().filter(|table| !table.internal);
        let tables = tables.map(|table| {
            let class = classes.give(&names::class(&table.name), &["", "Insert", "Update"]);
            Entity { of: Of::Table(table), columns: &table.columns, class }
        });
        let tables = tables.collect();
        let mut calls = Vec::new();
        for function in schema.functions() {
            let mut call = |of, columns: &'s [Column], what: &str| {
                let class = classes.give(&format!("{}{what}", names::pascal(&function.name)), &[""]);
                calls.push(Entity { of, columns, class });
            };
            // A body that is a whole document has no members that are known.
            if !function.takes_body && !function.parameters.is_empty() {
                call(Of::Arguments(function), &function.parameters, "Arguments");
            }
            if let Returns::Rows { table, .. } = function.returns
                && schema.tables().iter().all(|one| one.id != table)
            {
                call(Of::Result(function), &schema.table(table).columns, "Result");
            }
        }
        Model { schema, tables, calls }
    }

    /// All that is written, tables first.
    fn entities(&self) -> impl Iterator<Item = &Entity<'s>> {
        self.tables.iter().chain(&self.calls)
    }
}

impl<'s> Entity<'s> {
    /// Its types, with what is behind the class in their names.
    fn forms(&self) -> &'static [(Form, &'static str)] {
        match self.of {
            Of::Table(table) if table.is_writable() => &[(Form::Row, ""), (Form::Sent, "Insert")],
            Of::Table(_) | Of::Result(_) => &[(Form::Row, "")],
            Of::Arguments(_) => &[(Form::Sent, "")],
        }
    }

    /// The columns with a name of the language's own for each, all different.
    fn fields(&self, name: impl Fn(&str) -> String) -> Vec<(&'s Column, String)> {
        let mut fields = names::Names::default();
        self.columns.iter().map(|column| (column, fields.give(&name(&column.name), &[""]))).collect()
    }

    /// The enums of the columns: a class name for each.
    fn enums(&self) -> BTreeMap<usize, String> {
        let with_variants = self.columns.iter().enumerate().filter(|(_, c)| !c.checks.variants.is_empty());
        with_variants.map(|(at, column)| (at, format!("{}{}", self.class, names::pascal(&column.name)))).collect()
    }

    /// What a type stands for, in one line. `nothing` is the language's word for what is left out of what is sent, where
    /// it needs one.
    fn words(&self, form: Form, nothing: Option<&str>) -> String {
        let left_out = nothing.map(|word| format!("; {word} for what is left out")).unwrap_or_default();
        match self.of {
            Of::Table(table) if form == Form::Row => {
                let first = table.description.as_deref().and_then(|words| words.lines().next());
                first.map_or_else(|| format!("A row of `{}`.", names::one_line(&table.name)), names::one_line)
            }
            Of::Table(table) => format!("A new row of `{}`{left_out}.", names::one_line(&table.name)),
            Of::Arguments(function) => format!("What `{}` is called with{left_out}.", names::one_line(&function.name)),
            Of::Result(function) => format!("A row that `{}` gives back.", names::one_line(&function.name)),
        }
    }
}

/// Says where the file is from, in the comments of any language.
const MADE: &str = "Made by `mainstay types` from the schema; made anew when the schema changes.";

// They compile.
#[cfg(test)]
#[allow(warnings, reason = "of what is written, only that it compiles is tested")]
#[rustfmt::skip]
#[path = "../../../../e2e/types/Database.rs"]
mod shop_rows;
#[cfg(test)]
#[allow(warnings, reason = "of what is written, only that it compiles is tested")]
#[rustfmt::skip]
#[path = "../../../../e2e/types/hostile/Database.rs"]
mod hostile_rows;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::generated;
    use crate::project::{add_functions, read_schema};

    fn check(language: Language, ending: &str) {
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
        let settings = crate::config::load(&shop, "", &crate::config::Environment::default(), &[]).unwrap();
        let schema = add_functions(&shop, &settings.store, read_schema(&shop).unwrap()).unwrap();
        generated::check(&format!("e2e/types/Database.{ending}"), &types(&schema, language));
    }

    #[test]
    fn what_is_written_for_the_shop_is_what_the_code_gives() {
        check(Language::Typescript, "ts");
        check(Language::Python, "py");
        check(Language::Java, "java");
        check(Language::Csharp, "cs");
        check(Language::Php, "php");
        check(Language::Ruby, "rb");
        check(Language::Go, "go");
        check(Language::Rust, "rs");
    }

    /// Names that no language would take as they are. The files are compiled with the others.
    const HOSTILE: &str = r##"
["my orders"]
description = "*/ ?> <% \" ''' \\ ${x} #{y}\nsecond line"
[my_orders.fields]
id = { type = "int", primary = true }
["my orders".fields]
class        = { type = "int", primary = true }
"first word" = { type = "text", optional = true }
"first_word" = { enum = ["a b", "A-B", "", "1", "$x", "#{1}", "'\"\\"], optional = true }
"größe"      = "decimal(30,10)"
self         = "json"
def          = "int[]"
record       = { type = "timestamp", default = "now" }
"ISBN$"      = { type = "bytes", optional = true }
[class.fields]
id   = { type = "uuid", primary = true }
type = { ref = "my orders", optional = true }
"##;

    #[test]
    fn what_is_written_for_hostile_names_is_what_the_code_gives() {
        let file = mainstay_schema::load::SourceFile { path: "schema/hostile.toml".into(), text: HOSTILE.to_owned() };
        let schema = mainstay_schema::load::load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let endings = ["ts", "py", "java", "cs", "php", "rb", "go", "rs"];
        for (language, ending) in Language::value_variants().iter().zip(endings) {
            generated::check(&format!("e2e/types/hostile/Database.{ending}"), &types(&schema, *language));
        }
    }
}
