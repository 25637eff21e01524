//! Tables and views: the schemas of their rows, and what can be asked of them.

use mainstay_query::plan::relations::{Relation, relations};
use mainstay_schema::{Column, Schema, Table};

use super::columns::{self, Purpose};
use super::json::{Json, Object, list, reference};
use super::shared::{self, FORM, SINGULAR, SINGULAR_XML, header_references, parameter, with_errors};
use super::sight::{Abilities, Sight};

/// A table that is described, with the names that its parts have.
pub(super) struct Described<'s> {
    pub(super) table: &'s Table,
    pub(super) abilities: Abilities,
    /// Of its component schema, and the stem of everything else.
    pub(super) name: String,
}

/// What is put behind the name of a table for each of its component schemas.
pub(super) const FORMS: [&str; 3] = ["", "_insert", "_update"];

/// Parameters of requests for rows, which hide columns of the same name.
pub(super) const RESERVED: [&str; 11] =
    ["select", "order", "limit", "offset", "and", "or", "columns", "on_conflict", "after", "distinct", "having"];

/// Media types in which rows come and go that no schema describes.
pub(super) const LISTED: [&str; 4] = ["text/csv", "application/x-ndjson", "application/jsonl", "application/xml"];

impl Described<'_> {
    /// Adds the component schemas.
    pub(super) fn schemas(&self, schema: &Schema, sight: Sight<'_>, schemas: &mut Object) {
        if self.abilities.read {
            let words = self.table.description.clone();
            let words = words.unwrap_or_else(|| format!("A row of `{}`.", self.table.name));
            schemas.push(self.name.clone(), self.row(schema, sight, &words));
        }
        if self.abilities.create {
            let required = self.table.columns.iter().filter(|column| column.is_required());
            let required = list(required.map(|column| &column.name));
            let words = format!("A new row of `{}`.", self.table.name);
            schemas.push(
                format!("{}_insert", self.name),
                self.object(&words, Purpose::Insert).with_some("required", not_empty(required)),
            );
        }
        if self.abilities.update {
            let words = format!("What to change in rows of `{}`.", self.table.name);
            schemas.push(format!("{}_update", self.name), self.object(&words, Purpose::Update).with(CLOSED, false));
        }
    }

    /// A row as it is answered. Which members it has is for `select` to say, so none is required.
    pub(super) fn row(&self, schema: &Schema, sight: Sight<'_>, words: &str) -> Object {
        let table = self.table;
        let names = |ids: &[mainstay_schema::ColumnId]| list(ids.iter().map(|id| &table.column(*id).name));
        let mut relations = relations(schema, table);
        relations.retain(|relation| relation.tables().all(|table| sight.may_read(schema, table)));
        let uniques = table.uniques.iter().map(|key| names(&key.columns));
        self.object(words, Purpose::Row)
            .with_some("x-primary-key", not_empty(names(&table.primary_key)))
            .with_some("x-unique", not_empty(list(uniques)))
            .with_some("x-relations", not_empty(list(relations.iter().map(|relation| related(schema, relation)))))
    }

    fn object(&self, words: &str, purpose: Purpose) -> Object {
        let mut properties = Object::new();
        for column in &self.table.columns {
            let mut property = columns::schema(column, purpose);
            if purpose == Purpose::Row && !self.table.is_writable() {
                property.push("readOnly", true);
            }
            properties.push(column.name.to_string(), property);
        }
        Object::new().with("type", "object").with("description", words).with("properties", properties)
    }

    /// Adds a parameter for each column that can be filtered by.
    pub(super) fn parameters(&self, parameters: &mut Object) {
        if !self.abilities.read {
            return;
        }
        for (at, column) in self.filterable() {
            let words = match &column.description {
                Some(words) => format!("Filter by `{}`, an operator and a value: {words}", column.name),
                None => format!("Filter by `{}`, an operator and a value.", column.name),
            };
            let parameter = Object::new()
                .with("name", filter_name(&column.name))
                .with("in", "query")
                .with("description", words)
                .with("schema", shared::text(&[&columns::filter_example(column)]));
            parameters.push(self.filter(at, column), parameter);
        }
    }

    fn filterable(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.table.columns.iter().enumerate().filter(|(_, column)| !RESERVED.contains(&&*column.name))
    }

    /// The name of the parameter that filters by a column.
    fn filter(&self, at: usize, column: &Column) -> String {
        match super::names::plain(&column.name) {
            plain if plain == *column.name => format!("filter.{}.{plain}", self.name),
            plain => format!("filter.{}.{at}.{plain}", self.name),
        }
    }

    /// Everything that can be asked at the table's path.
    pub(super) fn path(&self, aggregates: bool) -> Object {
        let mut path = Object::new();
        if self.abilities.read {
            path.push("get", self.list(aggregates));
        }
        if self.abilities.create {
            path.push("post", self.insert());
        }
        if self.abilities.create && self.abilities.update && !self.table.primary_key.is_empty() {
            path.push("put", self.replace());
        }
        if self.abilities.update {
            path.push("patch", self.update());
        }
        if self.abilities.delete {
            path.push("delete", self.delete());
        }
        path
    }

    /// The path that takes what stands in a URL in the body.
    pub(super) fn query_path(&self, aggregates: bool) -> Object {
        let mut properties = Object::new();
        for name in read_parameters(aggregates) {
            properties.push(name, shared::schema_of(name));
        }
        self.filter_properties(&[], &mut properties);
        let form = Object::new().with("type", "object").with("properties", properties);
        let parameters = ["range", "preferRead", "ifMatch", "ifNoneMatch"].map(parameter).into();
        let operation = self.operation("query", "By a query in the body, read rows", parameters);
        let operation = operation.with("requestBody", query_body(form));
        let responses = with_errors(self.pages(), &query_statuses(shared::READ));
        Object::new().with("post", operation.with("responses", responses))
    }

    fn list(&self, aggregates: bool) -> Object {
        let mut parameters: Vec<Object> = read_parameters(aggregates).map(parameter).collect();
        parameters.extend(self.filters(&[]));
        parameters.extend(["range", "preferRead", "ifMatch", "ifNoneMatch"].map(parameter));
        self.operation("list", "Read rows", parameters).with("responses", with_errors(self.pages(), shared::READ))
    }

    /// The good answers to a read.
    fn pages(&self) -> Object {
        let headers = ["Content-Range", "Content-Location", "Preference-Applied", "ETag", "Next-After"];
        let page = |words: &str| self.rows(words, &headers);
        let same = Object::new().with("description", "The rows are those of `If-None-Match`.");
        Object::new()
            .with("200", page("The rows."))
            .with("206", page("Some of the rows that there are."))
            .with("304", same.with("headers", header_references(&["ETag"])))
    }

    fn insert(&self) -> Object {
        let insert = || reference("schemas", &format!("{}_insert", self.name));
        let body = Object::new().with("oneOf", list([insert(), rows_of(insert())]));
        let mut parameters: Vec<Object> = vec![parameter("columns")];
        if self.abilities.read {
            parameters.extend(["select", "on_conflict"].map(parameter));
        }
        parameters.push(parameter("ifNoneMatch"));
        parameters.push(parameter("preferInsert"));
        let headers = ["Content-Range", "Location", "Preference-Applied"];
        let mut responses = Object::new();
        if self.abilities.read && self.abilities.update {
            responses.push("200", self.rows("No row was new: those that were there are changed.", &headers));
        }
        responses.push("201", self.rows("The rows are stored.", &headers));
        let required = self.table.columns.iter().filter(|column| column.is_required()).map(|column| &column.name);
        let content = Object::new().with("application/json", Object::new().with("schema", body));
        let content = self.written(content, self.form().with_some("required", not_empty(list(required))));
        self.operation("insert", "Insert rows", parameters)
            .with("requestBody", Object::new().with("required", true).with("content", content))
            .with("responses", with_errors(responses, shared::WRITE))
    }

    /// One row, by all the columns of its key.
    fn replace(&self) -> Object {
        let body = Object::new().with("schema", reference("schemas", &format!("{}_insert", self.name)));
        let content = self.written(Object::new().with("application/json", body), self.form());
        let mut parameters: Vec<Object> = vec![parameter("select")];
        let is_key = |column: &Column| self.table.primary_key.contains(&column.id);
        parameters.extend(self.filterable().filter(|(_, c)| is_key(c)).map(|(at, c)| parameter(&self.filter(at, c))));
        parameters.extend(["preferWrite", "ifMatch", "ifNoneMatch"].map(parameter));
        let headers = ["Content-Range", "Preference-Applied"];
        let done = Object::new().with("description", "Done.").with("headers", header_references(&headers));
        let responses = Object::new()
            .with("200", self.rows("The row was there, and is this now.", &headers))
            .with("201", self.rows("The row is new.", &headers))
            .with("204", done);
        self.operation("replace", "Put one row in place, by `eq` on each column of its key,", parameters)
            .with("requestBody", Object::new().with("required", true).with("content", content))
            .with("responses", with_errors(responses, &[shared::WRITE, &[shared::NOT_ALLOWED]].concat()))
    }

    fn update(&self) -> Object {
        let form = |schema: Object| Object::new().with("schema", schema);
        let row = || reference("schemas", &format!("{}_update", self.name));
        // Where a key finds each row, a list says what becomes of which.
        let or_list = |one: Object, row: Object| match self.has_key() {
            true => form(Object::new().with("oneOf", list([one, rows_of(row)]))),
            false => form(one),
        };
        let content = Object::new()
            .with("application/json", or_list(row(), row()))
            .with("application/merge-patch+json", form(row()))
            .with(
                "application/vnd.mainstay.patch+json",
                or_list(self.operations(), Object::new().with("type", "object")),
            )
            .with("application/json-patch+json", form(reference("schemas", "JsonPatch")));
        let content = self.written(content, self.form());
        let mut parameters = vec![parameter("columns")];
        if self.has_key() {
            parameters.push(parameter("on_conflict"));
        }
        parameters.extend(self.write_parameters());
        self.operation("update", "Change the rows that pass the filters", parameters)
            .with("requestBody", Object::new().with("required", true).with("content", content))
            .with("responses", self.write_responses())
    }

    /// What is done to each column.
    fn operations(&self) -> Object {
        let mut properties = Object::new();
        for column in &self.table.columns {
            properties.push(column.name.to_string(), reference("schemas", "ColumnChange"));
        }
        Object::new().with("type", "object").with("properties", properties).with(CLOSED, false)
    }

    /// One row as a form: texts, and nothing inside anything.
    fn form(&self) -> Object {
        let names = list(self.table.columns.iter().map(|column| &column.name));
        Object::new()
            .with("type", "object")
            .with("description", "One row, every value as text.")
            .with("propertyNames", Object::new().with("enum", names))
            .with(CLOSED, shared::text(&[]))
    }

    /// The forms of a body that are not JSON behind those that are.
    fn written(&self, content: Object, form: Object) -> Object {
        let listed = LISTED
            .into_iter()
            .fold(content, |content, media| content.with(media, Object::new().with("schema", shared::text(&[]))));
        // The last: generators of clients take the first for what a body is.
        listed.with(FORM, Object::new().with("schema", form))
    }

    /// Whether rows can be found by a key.
    fn has_key(&self) -> bool {
        !self.table.primary_key.is_empty() || !self.table.uniques.is_empty()
    }

    fn delete(&self) -> Object {
        self.operation("delete", "Delete the rows that pass the filters", self.write_parameters())
            .with("responses", self.write_responses())
    }

    fn write_parameters(&self) -> Vec<Object> {
        let mut parameters: Vec<Object> = vec![parameter("select")];
        parameters.extend(self.filters(&[]));
        parameters.extend(["preferWrite", "ifMatch", "ifNoneMatch"].map(parameter));
        parameters
    }

    fn write_responses(&self) -> Object {
        let headers = ["Content-Range", "Preference-Applied"];
        let done = Object::new().with("description", "Done.").with("headers", header_references(&headers));
        let responses = Object::new().with("200", self.rows("Done; these are the rows.", &headers)).with("204", done);
        with_errors(responses, shared::WRITE)
    }

    /// References to the filters but of the columns of these names, with the trees of filters behind them.
    pub(super) fn filters(&self, taken: &[&str]) -> Vec<Object> {
        let columns = self.filterable().filter(|(_, column)| !taken.contains(&&*column.name));
        let columns = columns.map(|(at, column)| parameter(&self.filter(at, column)));
        columns.chain(["and", "or"].map(parameter)).collect()
    }

    /// The same in a form.
    pub(super) fn filter_properties(&self, taken: &[&str], properties: &mut Object) {
        for (_, column) in self.filterable().filter(|(_, column)| !taken.contains(&&*column.name)) {
            let example = columns::filter_example(column);
            properties.push(filter_name(&column.name), shared::text(&[&example]));
        }
        for name in ["and", "or"] {
            properties.push(name, shared::schema_of(name));
        }
    }

    /// An answer with rows. One who may not read gets none.
    fn rows(&self, words: &str, headers: &[&str]) -> Object {
        let answer = Object::new().with("description", words).with("headers", header_references(headers));
        if !self.abilities.read {
            return answer;
        }
        let row = || reference("schemas", &self.name);
        let form = |schema: Object| Object::new().with("schema", schema);
        let mut content = Object::new().with("application/json", form(rows_of(row()))).with(SINGULAR, form(row()));
        for media in LISTED.into_iter().chain([SINGULAR_XML]) {
            content.push(media, form(shared::text(&[])));
        }
        answer.with("content", content)
    }

    fn operation(&self, verb: &str, summary: &str, parameters: Vec<Object>) -> Object {
        Object::new()
            .with("operationId", format!("{verb}_{}", self.name))
            .with("summary", format!("{summary} of {}", self.table.name))
            .with("tags", list([&self.table.name]))
            .with("parameters", list(parameters))
    }
}

/// Members that are not there are refused. Not so in new rows, which may hold rows of related tables.
pub(super) const CLOSED: &str = "additionalProperties";

/// The body that holds a query, whose parts are those of this schema.
pub(super) fn query_body(form: Object) -> Object {
    let content = Object::new().with(FORM, Object::new().with("schema", form));
    // OpenAPI 3.1 knows no such method, so only words can tell of it.
    let words = "What would stand behind the `?` of a URL. The path without `/query` takes it by the method `QUERY`.";
    Object::new().with("description", words).with("required", false).with("content", content)
}

/// The statuses of errors, with those that a body can end with.
pub(super) fn query_statuses(statuses: &[u16]) -> Vec<u16> {
    [statuses, &[408, 413, 415]].concat()
}

/// The parameters that say what of the rows is read, but filters.
fn read_parameters(aggregates: bool) -> impl Iterator<Item = &'static str> {
    let names = ["select", "order", "limit", "offset", "after", "distinct"];
    names.into_iter().chain(aggregates.then_some("having"))
}

pub(super) fn rows_of(row: Object) -> Object {
    Object::new().with("type", "array").with("items", row)
}

fn related(schema: &Schema, relation: &Relation<'_>) -> Object {
    let pairs = relation.columns().map(|(here, there)| list([here, there]));
    Object::new()
        .with("embed", relation.embed(schema))
        .with("table", &relation.target.name)
        .with("kind", relation.cardinality())
        .with("reference", relation.is_reference())
        .with_some("columns", not_empty(list(pairs)))
}

fn not_empty(items: Json) -> Option<Json> {
    match &items {
        Json::List(list) if list.is_empty() => None,
        _ => Some(items),
    }
}

/// A column's name as the key of a filter: quoted if it holds more than names do in a query.
fn filter_name(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' '));
    if is_word { name.to_owned() } else { format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\"")) }
}
