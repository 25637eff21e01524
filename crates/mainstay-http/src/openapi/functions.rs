//! Functions: what they are called with, and what comes back.
//!
//! Several may share a name, and so a path: it then takes the arguments of any of them, and answers as any of them.

use mainstay_schema::{Column, Function, Returns, Schema, Type};

use super::columns::{self, Purpose};
use super::json::{Json, Object, list, reference};
use super::names::Names;
use super::shared::{self, header_references, parameter, with_errors};
use super::sight::{Abilities, Sight};
use super::tables::{CLOSED, Described, LISTED, RESERVED, query_body, query_statuses, rows_of};

/// The tag of everything below `/rpc/`.
pub(super) const TAG: &str = "rpc";
/// What is put behind the name of a function for each of its component schemas.
const FORMS: [&str; 2] = ["_arguments", "_result"];

/// The functions of one name that the reader may call.
pub(super) struct Family<'s> {
    pub(super) name: &'s str,
    /// Of its operations.
    id: String,
    members: Vec<Member<'s>>,
}

/// One function.
struct Member<'s> {
    function: &'s Function,
    /// The stem of its component schemas.
    name: String,
    result: Result<'s>,
}

/// What comes back.
enum Result<'s> {
    Nothing,
    Value(&'s Column),
    /// Rows of a table that is described anyway.
    Shared(Described<'s>),
    /// Rows that nothing else describes.
    Own(Described<'s>),
}

/// The functions that can be called, by their names.
pub(super) fn families<'s>(
    schema: &'s Schema,
    sight: Sight<'_>,
    tables: &[Described<'s>],
    names: &mut Names,
) -> Vec<Family<'s>> {
    let mut families: Vec<Family<'s>> = Vec::new();
    for function in schema.functions().iter().filter(|function| sight.may_call(function)) {
        let name = names.give(&function.name, &FORMS);
        let result = result(schema, function, tables, &name);
        let member = Member { function, name, result };
        match families.iter_mut().find(|family| *family.name == *function.name) {
            Some(family) => family.members.push(member),
            None => families.push(Family { name: &function.name, id: member.name.clone(), members: vec![member] }),
        }
    }
    families
}

fn result<'s>(schema: &'s Schema, function: &Function, tables: &[Described<'s>], name: &str) -> Result<'s> {
    let id = match function.returns {
        Returns::Nothing => return Result::Nothing,
        Returns::Value { table, .. } => match schema.table(table).columns.first() {
            Some(column) => return Result::Value(column),
            None => return Result::Nothing,
        },
        Returns::Rows { table, .. } => table,
    };
    match tables.iter().find(|described| described.table.id == id && described.abilities.read) {
        Some(Described { table, abilities, name }) => {
            Result::Shared(Described { table, abilities: *abilities, name: name.clone() })
        }
        None => {
            let abilities = Abilities { read: true, ..Abilities::default() };
            Result::Own(Described { table: schema.table(id), abilities, name: format!("{name}{}", FORMS[1]) })
        }
    }
}

impl Family<'_> {
    /// Adds the component schemas, and the filters on results of the functions' own.
    pub(super) fn components(&self, schema: &Schema, sight: Sight<'_>, schemas: &mut Object, parameters: &mut Object) {
        for member in &self.members {
            if !member.function.takes_body {
                schemas.push(format!("{}{}", member.name, FORMS[0]), member.arguments());
            }
            if let Result::Own(rows) = &member.result {
                let words = format!("A row that `{}` gives back.", self.name);
                schemas.push(rows.name.clone(), rows.row(schema, sight, &words));
                rows.parameters(parameters);
            }
        }
    }

    /// Everything that can be asked at the path.
    pub(super) fn path(&self) -> Object {
        let path = Object::new().with_some("get", self.get());
        path.with("post", self.post())
    }

    /// Those that only read, and whose arguments fit into a URL.
    fn get(&self) -> Option<Object> {
        let readers = self.readers();
        let first = readers.first()?;
        let arguments = in_query(&readers);
        let mut parameters: Vec<Object> = arguments
            .iter()
            .map(|(argument, is_required)| {
                Object::new()
                    .with("name", argument.name.to_string())
                    .with("in", "query")
                    .with_some("description", argument.description.as_deref())
                    .with("required", *is_required)
                    .with("schema", value_in_query(argument))
            })
            .collect();
        // Where they differ, what one result can be asked is not for the description to say.
        if readers.len() == 1 {
            parameters.extend(first.of_result(&names_of(&arguments)));
        }
        parameters.extend(self.range(&readers));
        parameters.push(parameter("preferRead"));
        let operation = self.operation("get", parameters);
        Some(operation.with("responses", with_errors(responses(&readers, false), &self.read_statuses())))
    }

    /// The path that takes what stands in a URL in the body, if a URL can call any of them.
    pub(super) fn query_path(&self) -> Option<Object> {
        let readers = self.readers();
        let first = readers.first()?;
        let arguments = in_query(&readers);
        let mut properties = Object::new();
        for (argument, _) in &arguments {
            let schema = value_in_query(argument).with_some("description", argument.description.as_deref());
            properties.push(argument.name.to_string(), schema);
        }
        if readers.len() == 1 {
            first.of_result_properties(&names_of(&arguments), &mut properties);
        }
        let form = Object::new().with("type", "object");
        let mut required = arguments.iter().filter(|(_, is_required)| *is_required).peekable();
        let form = match required.peek() {
            Some(_) => form.with("required", list(required.map(|(argument, _)| &argument.name))),
            None => form,
        };
        let form = form.with("properties", properties);
        let parameters = self.range(&readers).into_iter().chain([parameter("preferRead")]).collect();
        let responses = with_errors(responses(&readers, false), &query_statuses(&self.read_statuses()));
        let operation = self.operation("ask", parameters).with("requestBody", query_body(form));
        Some(Object::new().with("post", operation.with("responses", responses)))
    }

    /// Those that a URL can call.
    fn readers(&self) -> Vec<&Member<'_>> {
        self.members.iter().filter(|member| member.is_gettable()).collect()
    }

    fn range(&self, readers: &[&Member<'_>]) -> Option<Object> {
        let is_many = matches!(readers, [only] if only.function.returns.is_many());
        is_many.then(|| parameter("range"))
    }

    fn read_statuses(&self) -> Vec<u16> {
        let mut statuses = shared::READ.to_vec();
        if self.members.iter().any(|member| member.function.writes) {
            statuses.push(shared::NOT_ALLOWED);
        }
        statuses
    }

    fn post(&self) -> Object {
        let members: Vec<&Member<'_>> = self.members.iter().collect();
        let mut parameters = Vec::new();
        if members.iter().any(|member| member.has_arguments()) {
            parameters.push(parameter("columns"));
        }
        if let [only] = members.as_slice() {
            parameters.extend(only.of_result(&[]));
        }
        parameters.push(parameter("preferCall"));
        self.operation("call", parameters)
            .with("requestBody", self.body())
            .with("responses", with_errors(responses(&members, true), shared::WRITE))
    }

    fn body(&self) -> Object {
        let mut content = Object::new();
        let members = || self.members.iter();
        let arguments = members().filter(|member| !member.function.takes_body);
        let mut json: Vec<Object> =
            arguments.map(|m| reference("schemas", &format!("{}{}", m.name, FORMS[0]))).collect();
        // In a form an array repeats its name, and a document is its JSON: what a schema means there by itself.
        let form = members().any(Member::has_arguments).then(|| any_of(json.clone()));
        let whole = members().filter(|member| member.function.takes_body);
        let whole: Vec<&Column> = whole.filter_map(|member| member.function.parameters.first()).collect();
        let json_whole = whole.iter().filter(|parameter| parameter.ty == Type::Json);
        json.extend(json_whole.map(|parameter| columns::schema(parameter, Purpose::Insert)));
        if !json.is_empty() {
            content.push("application/json", Object::new().with("schema", any_of(json)));
        }
        for parameter in whole {
            let media = match parameter.ty {
                Type::Text => "text/plain",
                Type::Bytes => "application/octet-stream",
                _ => continue,
            };
            // Octets as they are, not in the form that they have as text.
            let schema = if parameter.ty == Type::Text {
                columns::schema(parameter, Purpose::Insert)
            } else {
                Object::new().with_some("description", parameter.description.as_deref())
            };
            content.push(media, Object::new().with("schema", schema));
        }
        if let Some(form) = form {
            content.push(shared::FORM, Object::new().with("schema", form));
        }
        let is_required = |member: &Member<'_>| member.function.parameters.iter().any(Column::is_required);
        Object::new().with("required", members().all(is_required)).with("content", content)
    }

    fn operation(&self, verb: &str, parameters: Vec<Object>) -> Object {
        let words: Vec<&str> =
            self.members.iter().filter_map(|member| member.function.description.as_deref()).collect();
        let words = if words.is_empty() { None } else { Some(words.join("\n\n")) };
        Object::new()
            .with("operationId", format!("{verb}_{}", self.id))
            .with("summary", format!("Call {}", self.name))
            .with_some("description", words)
            .with("tags", list([TAG]))
            .with("parameters", list(parameters))
    }
}

impl Member<'_> {
    /// The object of its arguments.
    fn arguments(&self) -> Object {
        let mut properties = Object::new();
        for parameter in &self.function.parameters {
            properties.push(parameter.name.to_string(), columns::schema(parameter, Purpose::Insert));
        }
        let mut required = self.function.parameters.iter().filter(|parameter| parameter.is_required()).peekable();
        let words = format!("The arguments of `{}`.", self.function.name);
        let object = Object::new().with("type", "object").with("description", words);
        let object = match required.peek() {
            Some(_) => object.with("required", list(required.map(|parameter| &parameter.name))),
            None => object,
        };
        object.with("properties", properties).with(CLOSED, false)
    }

    /// Whether it has arguments that have names in a body.
    fn has_arguments(&self) -> bool {
        !self.function.takes_body && !self.function.parameters.is_empty()
    }

    /// Whether it can be called by `GET`: arguments whose names mean something else there cannot be given.
    fn is_gettable(&self) -> bool {
        let function = self.function;
        !function.writes
            && !function.takes_body
            && !function.parameters.iter().any(|one| one.is_required() && RESERVED.contains(&&*one.name))
    }

    /// The arguments that a query string can hold.
    fn in_query(&self) -> impl Iterator<Item = &Column> {
        self.function.parameters.iter().filter(|parameter| !RESERVED.contains(&&*parameter.name))
    }

    /// The parameters that say what is made of the result, but of these names.
    fn of_result(&self, taken: &[&str]) -> Vec<Object> {
        let is_many = self.function.returns.is_many();
        let page: &[&str] = if is_many { &["limit", "offset"] } else { &[] };
        let mut parameters = Vec::new();
        if let Result::Shared(rows) | Result::Own(rows) = &self.result {
            parameters.push(parameter("select"));
            if is_many {
                parameters.push(parameter("order"));
            }
            parameters.extend(rows.filters(taken));
        }
        parameters.extend(page.iter().map(|name| parameter(name)));
        parameters
    }

    /// The same in a form.
    fn of_result_properties(&self, taken: &[&str], properties: &mut Object) {
        let is_many = self.function.returns.is_many();
        if let Result::Shared(rows) | Result::Own(rows) = &self.result {
            properties.push("select", shared::schema_of("select"));
            if is_many {
                properties.push("order", shared::schema_of("order"));
            }
            rows.filter_properties(taken, properties);
        }
        for name in ["limit", "offset"].into_iter().filter(|_| is_many) {
            properties.push(name, shared::schema_of(name));
        }
    }

    /// The schema of the answer; `None` if it has no body.
    fn answer(&self) -> Option<Object> {
        let is_many = self.function.returns.is_many();
        match &self.result {
            Result::Nothing => None,
            Result::Value(column) if is_many => Some(rows_of(columns::schema(column, Purpose::Row))),
            // No row, no value.
            Result::Value(column) => {
                let column = Column { optional: true, ..(*column).clone() };
                Some(columns::schema(&column, Purpose::Row))
            }
            Result::Shared(rows) | Result::Own(rows) if is_many => Some(rows_of(reference("schemas", &rows.name))),
            Result::Shared(rows) | Result::Own(rows) => {
                Some(any_of(vec![reference("schemas", &rows.name), Object::new().with("type", "null")]))
            }
        }
    }
}

/// The arguments that a query string can hold, each name once, and whether it is needed whichever function is meant.
fn in_query<'m>(readers: &[&'m Member<'_>]) -> Vec<(&'m Column, bool)> {
    let mut arguments: Vec<(&Column, bool)> = Vec::new();
    for argument in readers.iter().flat_map(|member| member.in_query()) {
        if arguments.iter().all(|(seen, _)| seen.name != argument.name) {
            let is_required =
                |member: &&Member<'_>| member.function.find_parameter(&argument.name).is_some_and(Column::is_required);
            arguments.push((argument, readers.iter().all(is_required)));
        }
    }
    arguments
}

fn names_of<'c>(arguments: &[(&'c Column, bool)]) -> Vec<&'c str> {
    arguments.iter().map(|(argument, _)| &*argument.name).collect()
}

/// An argument in the query string, where its type is that of a filter's value: text unless it is plain.
fn value_in_query(argument: &Column) -> Object {
    match argument.ty {
        Type::Json | Type::Array(_) => shared::text(&["{}"]),
        _ => columns::schema(&Column { optional: false, description: None, ..argument.clone() }, Purpose::Insert),
    }
}

fn responses(members: &[&Member<'_>], is_post: bool) -> Object {
    let headers = header_references(&["Content-Range", "Preference-Applied"]);
    let mut answers: Vec<Object> = Vec::new();
    for answer in members.iter().filter_map(|member| member.answer()) {
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    let is_silent = is_post || members.iter().any(|member| member.answer().is_none());
    let mut responses = Object::new();
    if !answers.is_empty() {
        let are_rows = |member: &&Member<'_>| matches!(member.result, Result::Shared(_) | Result::Own(_));
        let mut content = Object::new().with("application/json", Object::new().with("schema", any_of(answers)));
        if members.iter().all(are_rows) {
            if let Some(row) = members.first().filter(|_| members.len() == 1).and_then(|only| only.row()) {
                content.push(shared::SINGULAR, Object::new().with("schema", row));
            }
            let single = (members.len() == 1).then_some(shared::SINGULAR_XML);
            for media in LISTED.into_iter().chain(single) {
                content.push(media, Object::new().with("schema", shared::text(&[])));
            }
        }
        let answer = |words: &str| {
            Object::new().with("description", words).with("headers", headers.clone()).with("content", content.clone())
        };
        responses.push("200", answer("What it gives back."));
        if members.iter().any(|member| member.function.returns.is_many() && !member.function.writes) {
            responses.push("206", answer("Some of the rows that it gives."));
        }
    }
    if is_silent {
        responses.push("204", Object::new().with("description", "Done.").with("headers", headers));
    }
    responses
}

impl Member<'_> {
    /// The schema of one row.
    fn row(&self) -> Option<Object> {
        match &self.result {
            Result::Shared(rows) | Result::Own(rows) => Some(reference("schemas", &rows.name)),
            Result::Nothing | Result::Value(_) => None,
        }
    }
}

fn any_of(mut schemas: Vec<Object>) -> Object {
    match schemas.len() {
        1 => schemas.remove(0),
        _ => Object::new().with("anyOf", list(schemas.into_iter().map(Json::Object))),
    }
}
