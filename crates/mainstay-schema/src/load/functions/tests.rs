use super::*;
use crate::function::Returns;
use crate::load::load;
use crate::model::DefaultValue;

const SHOP: &str = r#"
[customers.fields]
id = { type = "int", primary = true }
email = "text"

[customers.access]
read = true
"#;

/// Columns that the engine of these tests finds in every statement.
struct Finds(&'static [(&'static str, Option<Type>)], bool);

impl Probe for Finds {
    fn probe(&self, statement: &Statement) -> Result<Option<Probed>, Refused> {
        if let Some(at) = statement.text.find("broken") {
            return Err(Refused { problem: "it is broken".into(), remedy: "mend it".into(), at: Some(at) });
        }
        let columns = self.0.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
        Ok(Some(Probed { columns, writes: self.1 }))
    }
}

fn load_all(files: &[(&str, &str)], probe: &dyn Probe) -> Result<Schema, Vec<String>> {
    let source = |(path, text): &(&str, &str)| SourceFile { path: path.into(), text: (*text).to_owned() };
    let schema = load(&[source(&("schema/shop.toml", SHOP))]).unwrap();
    let files: Vec<_> = files.iter().map(source).collect();
    load_functions(schema, &files, probe).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn one(text: &str, probe: &dyn Probe) -> Result<Schema, Vec<String>> {
    load_all(&[("queries/best.sql", text)], probe)
}

#[track_caller]
fn refused(text: &str, probe: &dyn Probe, expected: &str) {
    let found = one(text, probe).err().unwrap_or_default();
    assert!(found.iter().any(|mistake| mistake.contains(expected)), "{text}\n{found:#?}");
}

const CUSTOMER: &[(&str, Option<Type>)] = &[("email", Some(Type::Text)), ("id", Some(Type::Int))];

#[test]
fn a_head_describes_a_function() {
    let text = "--- description = \"Best customers since a day.\"
--- access = true
--- params.since = { type = \"date\", default = \"2026-01-01\" }
--- params.most = { type = \"int\", min = 1, optional = true }
--- returns = \"customers\"

SELECT * FROM customers WHERE created_at >= :since LIMIT coalesce(:most, 10);
";
    let schema = one(text, &Finds(CUSTOMER, false)).unwrap();
    let function = schema.find_functions("best").next().unwrap();
    assert_eq!(function.description.as_deref(), Some("Best customers since a day."));
    assert_eq!((function.access, function.writes, function.takes_body), (Rule::Always, false, false));
    let parameters: Vec<String> =
        function.parameters.iter().map(|one| format!("{} {} {}", one.name, one.ty, one.is_required())).collect();
    assert_eq!(parameters, ["since date false", "most int false"]);
    assert!(matches!(function.parameters[0].default, Some(DefaultValue::Literal(_))));
    let customers = schema.find("customers").unwrap();
    assert_eq!(function.returns, Returns::Rows { table: customers.id, many: true });
    // The statement gives them in another order.
    assert_eq!(function.sql.columns, [crate::ColumnId(1), crate::ColumnId(0)]);
    assert_eq!(function.sql.computed, []);
    assert_eq!(function.sql.pieces.len(), 5);
}

#[test]
fn results_have_columns_without_being_tables_of_the_schema() {
    let finds = Finds(&[("id", Some(Type::Int)), ("total", None)], false);
    let text = "--- returns.fields.total = \"decimal(12,2)\"\nSELECT id, sum(x) AS total FROM y";
    let schema = one(text, &finds).unwrap();
    let function = &schema.functions()[0];
    let result = schema.table(function.rows().unwrap());
    assert_eq!(&*result.name, "best");
    assert_eq!(result.columns[0].ty, Type::Int);
    assert_eq!(result.columns[1].ty, Type::Decimal { precision: 12, scale: 2 });
    assert_eq!(function.sql.computed, [crate::ColumnId(1)]);
    assert!(schema.find("best").is_none());
    assert!(schema.tables().iter().all(|table| table.id != result.id));

    let text = "--- returns.fields.id = { ref = \"customers\", primary = true }\n--- returns.fields.total = \"int\"
SELECT 1 UNION SELECT 2";
    let schema = one(text, &finds).unwrap();
    let function = &schema.functions()[0];
    let result = schema.table(function.rows().unwrap());
    assert_eq!(result.references[0].target, schema.find("customers").unwrap().id);
    assert_eq!(result.primary_key, [crate::ColumnId(0)]);
    // What comes together of several queries may be of several types.
    assert_eq!(function.sql.computed.len(), 2);
}

#[test]
fn values_lists_and_nothing() {
    let count = Finds(&[("count(*)", None)], false);
    for (head, expected) in [("", false), ("--- rows = \"one\"\n", false), ("--- rows = \"many\"\n", true)] {
        let text = ["--- returns = \"bigint\"\n", head, "SELECT count(*) FROM x"].concat();
        let schema = one(&text, &count).unwrap();
        let function = &schema.functions()[0];
        assert!(matches!(function.returns, Returns::Value { many, .. } if many == expected), "{head}");
        assert_eq!(&*schema.table(function.rows().unwrap()).columns[0].name, "best");
    }
    let schema = one("--- writes = true\nDELETE FROM x", &Finds(&[], true)).unwrap();
    assert_eq!(schema.functions()[0].returns, Returns::Nothing);
    let schema = one("--- returns = \"customers\"\n--- rows = \"one\"\nSELECT 1", &Finds(CUSTOMER, false)).unwrap();
    assert!(matches!(schema.functions()[0].returns, Returns::Rows { many: false, .. }));
}

#[test]
fn one_parameter_may_take_the_body() {
    let text = "--- params.doc = \"json\"\n--- body = \"doc\"\n--- returns = \"int\"\nSELECT json_array_length(:doc)";
    assert!(one(text, &NoProbe).unwrap().functions()[0].takes_body);
    refused(&text.replace("json\"\n", "int\"\n"), &NoProbe, "2:12: `body` must name the only parameter");
    refused(&text.replace("body = \"doc\"", "body = \"dock\""), &NoProbe, "`body` must name the only parameter");
}

#[test]
fn variants_share_a_name() {
    let text =
        |parameter: &str| format!("--- params.{parameter} = \"int\"\n--- returns = \"int\"\nSELECT :{parameter}");
    let (a, b) = (text("a"), text("b"));
    let schema = load_all(&[("queries/best.sql", &a), ("queries/best.by_b.sql", &b)], &NoProbe).unwrap();
    assert_eq!(schema.find_functions("best").count(), 2);
    let found = load_all(&[("queries/best.sql", &a), ("queries/best.again.sql", &a)], &NoProbe).unwrap_err();
    assert!(found[0].contains("another file declares `best` with the same parameters"), "{found:?}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let rows = Finds(CUSTOMER, false);
    for (text, expected) in [
        ("--- a = [\nSELECT 1", "queries/best.sql:1:10: the head is not TOML"),
        ("--- acess = true\nSELECT 1", "1:5: unknown key `acess` in a function; did you mean `access`?"),
        ("--- access = 1\nSELECT 1", "1:14: `access` must be true or false"),
        ("--- params.a = \"txt\"\nSELECT :a", "1:16: unknown type `txt`; did you mean `text`?"),
        ("--- params.a = { optional = true }\nSELECT :a", "1:12: `a` has no type"),
        ("--- params.a = \"text\"\nSELECT 1", "1:12: the SQL does not use the parameter `a`"),
        ("--- params.since = \"date\"\n\n  SELECT :snce, :since", "3:10: there is no parameter `snce`; did you mean"),
        (
            "--- params.limit = \"int\"\nSELECT :limit",
            "1:12: the parameter `limit` could not be given in a query string",
        ),
        ("--- params.\"a b\" = \"int\"\nSELECT 1", "the parameter `a b` could not be written in SQL"),
        ("--- params.a = { type = \"int\", unique = true }\nSELECT :a", "`unique` has no meaning at a parameter"),
        ("--- params.a = { type = \"int\", default = \"x\" }\nSELECT :a", "the default of `a` is not of type int"),
        ("SELECT 1; SELECT 2", "1:11: the file holds more than one statement"),
        ("ATTACH 'x' AS y", "1:1: a function cannot run ATTACH"),
        ("--- access = true\n", "2:1: the file holds no statement"),
        ("SELECT ?1", "1:8: `?1` is no parameter of a function"),
        ("--- returns = \"customers\"\nSELECT broken", "2:8: it is broken; mend it"),
        ("--- returns = \"custmers\"\nSELECT 1", "1:15: `custmers` is no table and no type; did you mean `customers`?"),
        ("--- returns = { feilds = {} }\nSELECT 1", "unknown key `feilds` in returns"),
        ("--- returns.fields.nam = \"text\"\nSELECT 1", "1:20: the SQL gives no column `nam`"),
        (
            "--- returns.fields.id = { type = \"int\", min = 1 }\nSELECT 1",
            "`min` has no meaning at a column of a result",
        ),
        ("--- returns.fields.id = { ref = \"nowhere\" }\nSELECT 1", "there is no table `nowhere`"),
        (
            "--- returns.fields.id = { ref = \"customers.email\" }\nSELECT 1",
            "`customers.email` is no key of one column",
        ),
        ("--- returns = \"int\"\nSELECT 1", "`returns` says one value of type int, and the SQL gives 2 columns"),
        ("--- returns = \"void\"\nSELECT 1", "the SQL gives rows back, and `returns` says that it does not"),
        ("--- rows = \"two\"\nSELECT 1", "`rows` cannot be \"two\""),
        ("--- writes = true\nSELECT 1", "the head says that it writes, and the SQL only reads"),
    ] {
        refused(text, &rows, expected);
    }
    refused("DELETE FROM x", &Finds(&[], true), "the SQL changes rows, and the head does not say so");
    refused("SELECT 1", &Finds(&[], false), "the function gives nothing back and changes nothing");
    refused("SELECT 1", &Finds(&[("a", None)], false), "the SQL computes `a`, and nothing says of which type");
    refused("SELECT 1", &Finds(&[("a", None), ("a", None)], false), "the SQL gives two columns named `a`");
    let other = Finds(&[("id", None), ("x", None)], false);
    refused("--- returns = \"customers\"\nSELECT 1", &other, "and the SQL lacks `email`");
    refused("--- returns = \"customers\"\nSELECT 1", &other, "and the SQL also gives `x`");
    let found = load_all(&[("queries/.sql", "--- returns = \"int\"\nSELECT 1")], &NoProbe).unwrap_err();
    assert!(found[0].contains("the file's name is that of the function, and a name is empty"), "{found:?}");
}

#[test]
fn every_mistake_of_every_file_is_told_in_one_run() {
    let bad = "--- acess = true\n--- params.a = \"txt\"\nSELECT :b";
    let found = load_all(&[("queries/b.sql", bad), ("queries/a.sql", bad)], &NoProbe).unwrap_err();
    let places: Vec<&str> = found.iter().map(|mistake| mistake.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "queries/a.sql:1:5",
            "queries/a.sql:2:12",
            "queries/a.sql:2:16",
            "queries/a.sql:3:8",
            "queries/b.sql:1:5",
            "queries/b.sql:2:12",
            "queries/b.sql:2:16",
            "queries/b.sql:3:8"
        ]
    );
}
