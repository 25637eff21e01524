//! What holds for every text and every schema.

use mainstay_schema::Schema;
use mainstay_schema::diff::diff;
use mainstay_schema::load::{NoProbe, SourceFile, load, load_functions};
use proptest::prelude::*;
use proptest::sample::select;

fn read(text: String) -> Result<Schema, Vec<mainstay_schema::Mistake>> {
    load(&[SourceFile { path: "a.toml".into(), text }])
}

/// Text that is nearly a schema file: pieces of one in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "[a]\n",
        "[a.fields]\n",
        "[b.fields]\n",
        "[a.unique]\n",
        "[a.references]\n",
        "[a.indexes]\n",
        "[a.access]\n",
        "view = \"select 1\"\n",
        "was = \"b\"\n",
        "primary = [\"x\", \"y\"]\n",
        "x = \"int\"\n",
        "y = \"text[]\"\n",
        "x = { ref = \"b\" }\n",
        "y = { ref = \"a.x\", on_delete = \"set null\" }\n",
        "z = { ref = \"b.z\", primary = true }\n",
        "k = [\"x\", \"y desc\"]\n",
        "r = { fields = [\"x\"], table = \"b\" }\n",
        "q = { on = [\"z\"], where = \"\" }\n",
        "d = { type = \"decimal(3,1)\", default = 99.95, min = 1, max = 0 }\n",
        "read = true\n",
        "e = { enum = [\"a\"], default = \"b\" }\n",
        "n = { type = \"timestamp\", default = \"now\", update = \"now\" }\n",
        "\"\" = 1\n",
        "ä = \"日本\"\n",
        "= [",
        "\"",
        "\0",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// One field by its name, position and a number that chooses its shape.
fn field(table: usize, at: usize, shape: u8) -> String {
    let shapes = [
        "\"text\"".to_owned(),
        "{ type = \"int\", optional = true, min = -3, max = 7 }".to_owned(),
        "{ type = \"decimal(9,3)\", default = 1.5 }".to_owned(),
        "{ type = \"text[]\", default = [\"a\", \"b \\\" c\"] }".to_owned(),
        "{ enum = [\"x\", \"y z\"], default = \"y z\", unique = true }".to_owned(),
        format!("{{ ref = \"t{}\", optional = true, on_delete = \"set null\" }}", table / 2),
        format!("{{ type = \"bigint\", was = \"old{at}\" }}"),
        "{ type = \"timestamp\", default = \"now\", update = \"now\", description = \"when\" }".to_owned(),
        "{ type = \"json\", default = { a = [1, 2.5, \"x\"] }, optional = true }".to_owned(),
        "{ type = \"text\", pattern = '^\\w+$', format = \"slug\", max = 20 }".to_owned(),
    ];
    format!("f{at} = {}\n", shapes[usize::from(shape) % shapes.len()])
}

fn table(at: usize, shapes: &[u8]) -> String {
    let fields: String = shapes.iter().enumerate().map(|(place, shape)| field(at, place, *shape)).collect();
    let index = if at.is_multiple_of(2) { format!("[t{at}.indexes]\ni = [\"f0 desc\"]\n") } else { String::new() };
    format!("[t{at}.fields]\n{fields}{index}[t{at}.access]\nread = true\n")
}

/// A schema that loads: some tables of fields of all kinds.
fn schema() -> impl Strategy<Value = Schema> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6), 0..5).prop_map(|tables| {
        let text: String = tables.iter().enumerate().map(|(at, shapes)| table(at, shapes)).collect();
        read(text.clone()).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{text}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_loads_or_says_why(text in ".{0,200}") {
        if let Err(mistakes) = read(text) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn pieces_of_files_load_or_say_where(text in pieces()) {
        match read(text.clone()) {
            Ok(schema) => prop_assert!(diff(&schema, &schema).is_empty()),
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(mistake.line >= 1 && mistake.line <= text.lines().count() + 1, "{}", mistake);
                    prop_assert!(mistake.column >= 1, "{}", mistake);
                }
            }
        }
    }

    #[test]
    fn a_schema_does_not_differ_from_itself(schema in schema()) {
        prop_assert!(diff(&schema, &schema).is_empty());
    }

    #[test]
    fn a_record_reads_back_to_the_same_schema(schema in schema()) {
        let text = schema.to_json();
        prop_assert_eq!(Schema::from_json(&text), Ok(schema));
    }

    #[test]
    fn the_way_to_nothing_and_back_names_every_table(schema in schema()) {
        let tables = schema.tables().iter().filter(|table| !table.internal).count();
        let empty = Schema::default();
        prop_assert_eq!(diff(&schema, &empty).steps.len(), tables);
        prop_assert_eq!(diff(&empty, &schema).steps.len(), tables);
        prop_assert_eq!(diff(&schema, &empty).is_destructive(), tables > 0);
    }

    #[test]
    fn a_difference_is_seen_from_both_sides(old in schema(), new in schema()) {
        prop_assert_eq!(diff(&old, &new).is_empty(), diff(&new, &old).is_empty());
    }
}

/// Text that is nearly a file of a function: pieces of one in any order.
fn function_pieces() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "--- params.a = \"int\"\n",
        "--- params.b = { type = \"text[]\", default = [] }\n",
        "--- body = \"a\"\n",
        "--- returns = \"a\"\n",
        "--- returns = \"int\"\n",
        "--- returns.fields.x = { ref = \"a\" }\n",
        "--- rows = \"one\"\n",
        "--- writes = true\n",
        "---",
        "-- comment\n",
        "\n",
        "SELECT :a",
        "DELETE FROM a",
        ", :b",
        " ; ",
        "/* ",
        "*/",
        "'",
        "[x]",
        "\"ä\"",
        "?",
        "日本",
        "\r\n",
    ]);
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_file_of_a_function_is_taken_or_its_mistakes_lie_in_it(text in prop_oneof![function_pieces(), "\\PC{0,40}"]) {
        let schema = read("[a.fields]\nx = { type = \"int\", primary = true }\n".to_owned()).expect("tables");
        let file = SourceFile { path: "queries/f.sql".into(), text: text.clone() };
        match load_functions(schema, &[file], &NoProbe) {
            Ok(schema) => prop_assert_eq!(schema.functions().len(), 1),
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(mistake.line <= text.split('\n').count(), "{}", mistake);
                }
            }
        }
    }
}
