//! Every key of a schema file with the sentence that explains it: in messages, and in editors.

/// Keys of a table.
pub(crate) const TABLE_KEYS: [(&str, &str); 10] = [
    ("description", "Words for people; shown in the API description."),
    ("was", "The former name of the table. Makes a rename of what would be a drop and a create."),
    ("store", "Name of the store that keeps it, a section [stores.NAME] of mainstay.toml; main when left out."),
    ("fields", "The columns, in order. A field is a type, or a table of keys."),
    ("primary", "Names of the fields of the primary key. Without one the table gets `id`, a version 7 uuid."),
    ("unique", "Unique keys of several fields: name = [\"field\", …]."),
    ("references", "References of several fields: name = { fields = […], table = \"…\", to = […] }."),
    (
        "indexes",
        "Indexes: name = [\"field\", \"other desc\"], or { on = […], unique = true, where = \"…\" }, or { fulltext = […] }.",
    ),
    ("access", "Who may do what with the publishable key. Nothing is allowed that is not written here."),
    ("view", "An SQL query that makes this a view. Its fields then say what the columns of the query are."),
];

/// Keys of a field.
pub(crate) const FIELD_KEYS: [(&str, &str); 17] = [
    ("type", "bool, int, bigint, float, decimal(p,s), text, uuid, bytes, date, time, timestamp, json; T[] for a list."),
    ("optional", "Whether null is allowed."),
    ("default", "What an absent value becomes: a value, or \"now\", \"uuid7\", \"sequence\" where the type allows it."),
    ("update", "\"now\": set to the time of every change that does not set it."),
    ("unique", "No two rows have the same value."),
    ("primary", "Part of the primary key."),
    ("ref", "\"table\" or \"table.field\": holds the value of a key there, and takes its type."),
    ("convert", "Where `ref` leads to a key of another type in another store: both types, as \"text->uuid\"."),
    ("on_delete", "What happens here when the row there is deleted."),
    ("on_update", "What happens here when the key there changes."),
    ("enum", "The only values allowed."),
    ("format", "What the text must look like."),
    ("min", "Smallest value, or least length of text, bytes and lists."),
    ("max", "Largest value, or greatest length of text, bytes and lists."),
    ("pattern", "A regular expression that the text must match; anchor it with ^ and $ to match the whole."),
    ("was", "The former name of the field. Makes a rename of what would be a drop and an addition."),
    ("description", "Words for people; shown in the API description."),
];

/// Keys of an entry in `references`.
pub(crate) const REFERENCE_KEYS: [(&str, &str); 5] = [
    ("fields", "Names of the fields here."),
    ("table", "The table pointed at."),
    ("to", "Names of the fields of a key there; its primary key when left out."),
    ("on_delete", "What happens here when the row there is deleted."),
    ("on_update", "What happens here when the key there changes."),
];

/// Keys of an entry in `indexes`.
pub(crate) const INDEX_KEYS: [(&str, &str); 5] = [
    ("on", "Names of the fields, each with \" desc\" behind it for descending order."),
    ("unique", "No two rows of the index have the same values."),
    ("where", "An SQL condition: only rows for which it holds are in the index."),
    ("fulltext", "Names of text fields whose words can be searched for, instead of `on`."),
    ("language", "The language of these texts, which decides which words are forms of one; \"simple\" for none."),
];

/// Keys of `access`.
pub(crate) const ACCESS_KEYS: [(&str, &str); 4] = [
    ("read", "Whether rows may be read."),
    ("create", "Whether rows may be inserted."),
    ("update", "Whether rows may be changed."),
    ("delete", "Whether rows may be deleted."),
];

/// Keys of a table that was found in a database rather than declared.
pub(crate) const FOUND_KEYS: [(&str, &str); 6] = [
    ("description", "Words for people; shown in the API description."),
    ("hide", "Whether the table is left out of the API altogether."),
    ("access", "Who may do what with the publishable key, where that differs from the access of the store."),
    ("fields", "What is to be said of its columns."),
    ("store", "Name of the store that has it; main when left out."),
    ("references", "References that the database does not keep: name = { fields = […], table = \"…\", to = […] }."),
];

/// Keys of a column that was found.
pub(crate) const FOUND_FIELD_KEYS: [(&str, &str); 4] = [
    ("description", "Words for people; shown in the API description."),
    ("hide", "Whether the column is left out of the API altogether."),
    ("ref", "\"table\" or \"table.field\": holds the value of a key there; the database need not know."),
    ("convert", "Where that key has another type: both types, as \"text->uuid\"."),
];

/// The type of MongoDB's object ids: a text of 24 hexadecimal digits to everybody else.
pub(crate) const OBJECT_ID: &str = "objectid";

/// Keys of the head of a function's file.
pub(crate) const FUNCTION_KEYS: [(&str, &str); 7] = [
    ("description", "Words for people; shown in the API description."),
    ("access", "Whether the publishable key may call it. Nobody but the secret key may unless it is written here."),
    ("params", "The parameters: params.name = \"type\", or a table of keys as of a field."),
    ("body", "Name of the only parameter, which then takes the whole body of a request."),
    ("writes", "Whether the SQL changes rows."),
    ("returns", "A table whose rows come back, a type, \"void\", or { fields = { … } } with the columns."),
    ("rows", "\"one\" for one row or value, \"many\" for a list."),
];

/// What a reference can do when its target goes away or changes.
pub(crate) const ACTIONS: [&str; 4] = ["restrict", "cascade", "set null", "set default"];
