#![no_main]
//! Files of functions: a text becomes a function or a list of mistakes, and the statement in it is cut at its
//! parameters without losing a letter.

use libfuzzer_sys::fuzz_target;
use mainstay_schema::function::Piece;
use mainstay_schema::load::{NoProbe, SourceFile, load, load_functions};

fuzz_target!(|text: &str| {
    let tables = "[customers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n";
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.to_owned() };
    let schema = load(&[file("schema/a.toml", tables)]).expect("the tables are good");
    match load_functions(schema, &[file("queries/f.sql", text)], &NoProbe) {
        Ok(schema) => {
            let function = &schema.functions()[0];
            let mut sql = String::new();
            for piece in &function.sql.pieces {
                match piece {
                    Piece::Text(text) => sql.push_str(text),
                    Piece::Parameter(id) => {
                        sql.push(':');
                        sql.push_str(&function.parameters[id.index()].name);
                    }
                    Piece::Clause(_) => {}
                    Piece::Out | Piece::Optional(_) => panic!("only databases have such parameters"),
                }
            }
            assert!(text.contains(&sql), "the statement stands in the file as it is");
            if let Some(rows) = function.rows().filter(|_| function.sql.is_query()) {
                assert!(function.sql.columns.len() == schema.table(rows).columns.len());
            }
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(!mistake.to_string().is_empty());
            }
        }
    }
});
