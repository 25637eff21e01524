//! TypeScript, as supabase-js takes it: `createClient<Database>(…)`.

use std::fmt::Write;

use mainstay_schema::{Column, Function, Reference, Returns, Table, Type};

use super::names::quoted;
use super::{MADE, Model};

pub(super) fn write(model: &Model<'_>) -> String {
    let mut out = format!("// {MADE}\n\n{JSON}");
    out.push_str(
        "export type Database = {\n  __InternalSupabase: {\n    PostgrestVersion: \"13.0\"\n  }\n  public: {\n",
    );
    group(&mut out, "Tables", model, |table| table.is_writable());
    group(&mut out, "Views", model, |table| !table.is_writable());
    functions(&mut out, model);
    enums(&mut out, model);
    out.push_str("    CompositeTypes: {\n      [_ in never]: never\n    }\n  }\n}\n");
    out.push_str(HELPERS);
    constants(&mut out, model);
    out
}

const JSON: &str =
    "export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]\n\n";

/// Short names for what is deep inside.
const HELPERS: &str = r#"
type Public = Database["public"]

/** A row of a table or view, as it is read. */
export type Tables<Name extends keyof (Public["Tables"] & Public["Views"])> =
  (Public["Tables"] & Public["Views"])[Name] extends { Row: infer Row } ? Row : never

/** A new row of a table. */
export type TablesInsert<Name extends keyof Public["Tables"]> =
  Public["Tables"][Name] extends { Insert: infer Insert } ? Insert : never

/** What to change in a row of a table. */
export type TablesUpdate<Name extends keyof Public["Tables"]> =
  Public["Tables"][Name] extends { Update: infer Update } ? Update : never

/** The texts that a column takes. */
export type Enums<Name extends keyof Public["Enums"]> = Public["Enums"][Name]

/** There are none; here for programs that name it. */
export type CompositeTypes<Name extends keyof Public["CompositeTypes"]> = Public["CompositeTypes"][Name]
"#;

fn group(out: &mut String, name: &str, model: &Model<'_>, is_in: impl Fn(&Table) -> bool) {
    let _ = writeln!(out, "    {name}: {{");
    let mut is_empty = true;
    for one in tables(model).filter(|table| is_in(table)) {
        is_empty = false;
        table(out, model, one);
    }
    if is_empty {
        out.push_str("      [_ in never]: never\n");
    }
    out.push_str("    }\n");
}

fn tables<'s>(model: &Model<'s>) -> impl Iterator<Item = &'s Table> {
    model.schema.tables().iter().filter(|table| !table.internal)
}

fn table(out: &mut String, model: &Model<'_>, table: &Table) {
    let _ = writeln!(out, "      {}: {{", key(&table.name));
    // A column of a view may be null whatever its table says, unless the schema file says otherwise: it does.
    members(out, "Row", table, |column| (false, column.optional));
    if table.is_writable() {
        members(out, "Insert", table, |column| (!column.is_required(), column.optional));
        members(out, "Update", table, |column| (true, column.optional));
    }
    out.push_str("        Relationships: [\n");
    for reference in table.relations() {
        relationship(out, model, table, reference);
    }
    out.push_str("        ]\n      }\n");
}

fn members(out: &mut String, name: &str, table: &Table, how: impl Fn(&Column) -> (bool, bool)) {
    let _ = writeln!(out, "        {name}: {{");
    for column in &table.columns {
        let (is_optional, is_nullable) = how(column);
        let mark = if is_optional { "?" } else { "" };
        let null = if is_nullable && column.ty != Type::Json { " | null" } else { "" };
        let _ = writeln!(out, "          {}{mark}: {}{null}", key(&column.name), of_column(table, column));
    }
    out.push_str("        }\n");
}

fn of_column(table: &Table, column: &Column) -> String {
    match column.checks.variants.is_empty() {
        true => of_type(&column.ty),
        false => format!("Database[\"public\"][\"Enums\"][{}]", quoted(&enum_name(table, column))),
    }
}

fn of_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => "number".to_owned(),
        Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time | Type::Timestamp => "string".to_owned(),
        Type::Json => "Json".to_owned(),
        Type::Array(item) => format!("{}[]", of_type(item)),
    }
}

fn relationship(out: &mut String, model: &Model<'_>, table: &Table, reference: &Reference) {
    let target = model.schema.table(reference.target);
    if target.internal {
        return;
    }
    let list = |table: &Table, ids: &[mainstay_schema::ColumnId]| {
        ids.iter().map(|id| quoted(&table.column(*id).name)).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(
        out,
        "          {{\n            foreignKeyName: {}\n            columns: [{}]\n            isOneToOne: {}\n            \
         referencedRelation: {}\n            referencedColumns: [{}]\n          }},",
        quoted(&reference.name),
        list(table, &reference.columns),
        table.is_key(&reference.columns),
        quoted(&target.name),
        list(target, &reference.target_columns),
    );
}

fn functions(out: &mut String, model: &Model<'_>) {
    out.push_str("    Functions: {\n");
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    // supabase-js sends an object, so what takes a text or octets as its whole body is not for it.
    for function in model.schema.functions() {
        let Some(arguments) = arguments(function) else { continue };
        let one = format!(
            "{{\n        Args: {arguments}\n        Returns: {}\n{}      }}",
            returned(model, function),
            rows_of(model, function).unwrap_or_default()
        );
        match families.iter_mut().find(|(name, _)| *name == &*function.name) {
            Some((_, members)) => members.push(one),
            None => families.push((&function.name, vec![one])),
        }
    }
    for (name, members) in &families {
        let _ = writeln!(out, "      {}: {}", key(name), members.join(" | "));
    }
    if families.is_empty() {
        out.push_str("      [_ in never]: never\n");
    }
    out.push_str("    }\n");
}

/// The type of the arguments; `None` if they are no object.
fn arguments(function: &Function) -> Option<String> {
    if function.takes_body {
        let is_document = function.parameters.first().is_some_and(|parameter| parameter.ty == Type::Json);
        return is_document.then(|| "{ [key: string]: Json | undefined }".to_owned());
    }
    if function.parameters.is_empty() {
        return Some("Record<PropertyKey, never>".to_owned());
    }
    let one = |parameter: &Column| {
        let mark = if parameter.is_required() { "" } else { "?" };
        format!("{}{mark}: {}", key(&parameter.name), nullable(parameter))
    };
    Some(format!("{{ {} }}", function.parameters.iter().map(one).collect::<Vec<_>>().join("; ")))
}

fn returned(model: &Model<'_>, function: &Function) -> String {
    // One row may not be there.
    let list = if function.returns.is_many() { "[]" } else { " | null" };
    match function.returns {
        Returns::Nothing => "undefined".to_owned(),
        Returns::Value { table, many } => match model.schema.table(table).columns.first() {
            None => "undefined".to_owned(),
            Some(column) if many => format!("({}){list}", nullable(column)),
            // No row, no value.
            Some(column) => nullable(&Column { optional: true, ..column.clone() }),
        },
        Returns::Rows { table, .. } => match tables(model).find(|one| one.id == table) {
            Some(table) => {
                let group = if table.is_writable() { "Tables" } else { "Views" };
                format!("Database[\"public\"][\"{group}\"][{}][\"Row\"]{list}", quoted(&table.name))
            }
            None => {
                let one = |column: &Column| format!("{}: {}", key(&column.name), nullable(column));
                let members: Vec<_> = model.schema.table(table).columns.iter().map(one).collect();
                format!("{{ {} }}{list}", members.join("; "))
            }
        },
    }
}

/// Whose rows come back, by which supabase-js knows what can be selected of them and embedded in them.
fn rows_of(model: &Model<'_>, function: &Function) -> Option<String> {
    let Returns::Rows { table, many } = function.returns else { return None };
    let table = tables(model).find(|one| one.id == table)?;
    Some(format!(
        "        SetofOptions: {{\n          from: \"*\"\n          to: {}\n          isOneToOne: {}\n          \
         isSetofReturn: {many}\n        }}\n",
        quoted(&table.name),
        !many,
    ))
}

/// The values of a column that belongs to no table: there is no name for its texts.
fn nullable(column: &Column) -> String {
    let variants: Vec<String> = column.checks.variants.iter().map(|variant| quoted(variant)).collect();
    let ty = if variants.is_empty() { of_type(&column.ty) } else { variants.join(" | ") };
    if column.optional && column.ty != Type::Json { format!("{ty} | null") } else { ty }
}

fn enums(out: &mut String, model: &Model<'_>) {
    out.push_str("    Enums: {\n");
    let mut is_empty = true;
    each_enum(model, |name, variants| {
        is_empty = false;
        let _ = writeln!(out, "      {}: {}", key(&name), variants.join(" | "));
    });
    if is_empty {
        out.push_str("      [_ in never]: never\n");
    }
    out.push_str("    }\n");
}

fn constants(out: &mut String, model: &Model<'_>) {
    out.push_str("\n/** The texts that columns take, for menus and checks. */\nexport const Constants = {\n  public: {\n    Enums: {\n");
    each_enum(model, |name, variants| {
        let _ = writeln!(out, "      {}: [{}],", key(&name), variants.join(", "));
    });
    out.push_str("    },\n  },\n} as const\n");
}

fn each_enum(model: &Model<'_>, mut write: impl FnMut(String, Vec<String>)) {
    for table in tables(model) {
        for column in table.columns.iter().filter(|column| !column.checks.variants.is_empty()) {
            let variants = column.checks.variants.iter().map(|variant| quoted(variant)).collect();
            write(enum_name(table, column), variants);
        }
    }
}

fn enum_name(table: &Table, column: &Column) -> String {
    format!("{}.{}", table.name, column.name).replace('.', "_")
}

/// A member name, in quotes if it has to be.
fn key(name: &str) -> String {
    let is_word =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_word && !name.is_empty() { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{NoProbe, SourceFile, load, load_functions};

    use super::*;

    #[test]
    fn one_row_that_a_function_gives_may_not_be_there() {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.to_owned() };
        let toys = "[toys.fields]\nid = { type = \"int\", primary = true }\n";
        let schema = load(&[file("schema/toys.toml", toys)]).unwrap();
        let dearest = "--- returns = \"toys\"\n--- rows = \"one\"\nSELECT * FROM toys";
        let sums = "--- returns.fields.n = \"bigint\"\n--- rows = \"one\"\nSELECT count(*) AS n FROM toys";
        let all = "--- returns = \"toys\"\nSELECT * FROM toys";
        let files = [("all", all), ("dearest", dearest), ("sums", sums)]
            .map(|(n, text)| file(&format!("queries/{n}.sql"), text));
        let written = write(&Model::new(&load_functions(schema, &files, &NoProbe).unwrap()));
        for expected in [
            "Returns: Database[\"public\"][\"Tables\"][\"toys\"][\"Row\"][]\n",
            "Returns: Database[\"public\"][\"Tables\"][\"toys\"][\"Row\"] | null\n",
            "Returns: { n: number } | null\n      }",
            "to: \"toys\"\n          isOneToOne: true\n          isSetofReturn: false\n",
            "to: \"toys\"\n          isOneToOne: false\n          isSetofReturn: true\n",
        ] {
            assert!(written.contains(expected), "{expected}\n{written}");
        }
    }
}
