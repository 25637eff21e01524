//! The one table of codes. Codes are stable: a code that goes is never used for anything else.

/// A code with its status. Two entries share a code where the status depends on the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code on the wire: of PostgREST, a SQLSTATE, or our own beginning with `MS`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// When it is given.
    pub when: &'static str,
}

macro_rules! codes {
    ($($(#[$attribute:meta])* $constant:ident = $name:literal, $status:literal, $when:literal;)*) => {
        $(#[doc = $when] $(#[$attribute])* pub const $constant: &Code = &Code { name: $name, status: $status, when: $when };)*
        /// Every code that an answer can carry, in the order of the documentation.
        pub const CODES: &[&Code] = &[$($constant),*];
    };
}

codes! {
    UNAVAILABLE = "PGRST000", 503, "The store does not answer; try again.";
    SCHEMA_CHANGED = "PGRST002", 503, "The tables are not as the schema says; it is loaded again.";
    QUERY = "PGRST100", 400, "The query string does not parse, or has a parameter that is not known.";
    FUNCTION_METHOD = "PGRST101", 405, "The method is not known at a function.";
    BODY = "PGRST102", 400, "The body does not parse, or is of a type that is not taken.";
    RANGE = "PGRST103", 416, "No rows lie in the range that was asked for.";
    REPLACE_FILTERS = "PGRST105", 405, "A PUT whose filters are not eq on all and only the primary key.";
    PROFILE = "PGRST106", 406, "No such schema profile.";
    MEDIA = "PGRST107", 406, "None of the accepted media types can be made.";
    NOT_EMBEDDED = "PGRST108", 400, "A filter, order or limit stands on something that is not embedded.";
    REPLACE_RANGE = "PGRST114", 400, "A PUT with limit or offset.";
    REPLACE_KEY = "PGRST115", 400, "A PUT whose body is not the one row of its URL.";
    SINGULAR = "PGRST116", 406, "One object was asked for, and there is another number of rows.";
    METHOD = "PGRST117", 405, "The method is not known here.";
    RELATED_ORDER = "PGRST118", 400, "Rows cannot be ordered by a list that is embedded in them.";
    EMBED_FILTER = "PGRST120", 400, "An embed can only be tested for null.";
    CUSTOM = "PGRST121", 500, "The database chose its answer by RAISE, in JSON that does not parse.";
    PREFERENCES = "PGRST122", 400, "With handling=strict, a preference that is not known.";
    AGGREGATES_OFF = "PGRST123", 400, "Aggregates are turned off.";
    MAX_AFFECTED = "PGRST124", 400, "More rows would be affected than max-affected allows.";
    PATH = "PGRST125", 404, "No such path below the API.";
    ROOT = "PGRST126", 404, "The API has no root document.";
    NOT_IMPLEMENTED = "PGRST127", 400, "Part of the language that is not there; details say which.";
    SINGLE_AFFECTED = "PGRST128", 400, "max-affected on a function that does not return a list.";
    NO_RELATION = "PGRST200", 400, "The two tables are not related.";
    AMBIGUOUS = "PGRST201", 300, "The two tables are related in several ways; details list them.";
    UNKNOWN_FUNCTION = "PGRST202", 404, "No function of that name takes these arguments.";
    AMBIGUOUS_FUNCTION = "PGRST203", 300, "Several functions of that name take these arguments.";
    BODY_COLUMN = "PGRST204", 400, "A column in the body or in columns that the table lacks.";
    UNKNOWN_TABLE = "PGRST205", 404, "No such table or view.";
    TOKEN = "PGRST301", 401, "The key or token is not valid.";
    ANONYMOUS = "PGRST302", 401, "No key was sent.";
    CLAIMS = "PGRST303", 401, "The token's claims are not accepted: expired, not yet valid, malformed.";
    REPEATED_KEY = "21000", 500, "One key twice in one merge; several rows of a view where its key promises one.";
    NO_FILTER = "21000", 400, "An update or delete without a filter.";
    FUNCTION_FAILED = "22000", 400, "The SQL of a function failed on what it was given.";
    OUT_OF_RANGE = "22003", 400, "A number that its type cannot hold.";
    NO_SUCH_TIME = "22008", 400, "A date or time that does not exist.";
    NUL = "22021", 400, "Text with a NUL character, or that is not UTF-8.";
    ROLE = "22023", 401, "The token's role does not exist.";
    PARAMETER_VALUE = "22023", 400, "A value that the operation cannot work with.";
    REGULAR_EXPRESSION = "2201B", 400, "A pattern that is no regular expression, or too large a one.";
    SYNTAX = "22P02", 400, "A value that is not of its column's type.";
    NOT_NULL = "23502", 400, "Nothing for a required column.";
    REFERENCE = "23503", 409, "A row points, or would point, at nothing.";
    DUPLICATE = "23505", 409, "A key is there already.";
    CHECK = "23514", 400, "A value that its column does not accept.";
    READ_ONLY_CALL = "25006", 405, "A function that writes was called by GET or HEAD.";
    COMPUTED = "428C9", 400, "A value for a column that the database computes.";
    DENIED = "42501", 403, "The rules do not allow it to this role.";
    DENIED_ANONYMOUS = "42501", 401, "The rules do not allow it without signing in.";
    SEARCH_SYNTAX = "42601", 400, "A search (fts) that does not parse.";
    UNKNOWN_COLUMN = "42703", 400, "No such column.";
    UNKNOWN_TYPE = "42704", 400, "No such type, or no such language of a search.";
    NOT_GROUPED = "42803", 400, "Groups cannot be ordered by a column that they do not have.";
    DATATYPE = "42804", 400, "A test for a truth value on a column that has none.";
    NO_CAST = "42846", 400, "No such cast between these types.";
    NO_OPERATOR = "42883", 404, "The type does not have this operator or function.";
    NO_SUCH_KEY = "42P10", 400, "on_conflict names no unique key.";
    CANNOT_WRITE = "53100", 503, "The disk is full or cannot be written.";
    OVERLOADED = "53300", 503, "The store has more work waiting than it takes; try again.";
    READ_ONLY = "55000", 400, "A write to a view.";
    STATEMENT_TIME = "57014", 500, "The statement ran into its time limit.";
    RAISED = "P0001", 400, "A trigger of the database refused the write; the message is its own.";
    INTERNAL = "XX000", 500, "Something is wrong here; the log has the request id.";
    LIMIT = "MS400", 400, "More was asked than a limit allows; the message names it.";
    FRAMING = "MS401", 400, "The request's framing is ambiguous.";
    HEAVY = "MS402", 400, "The request would look at more rows than its role may; the hint says what would help.";
    JOIN_LARGE = "MS403", 400, "More rows of one store would have to be joined with those of another than may be; the message says of which table.";
    NO_ROUTE = "MS404", 404, "Nothing is at this path.";
    BODY_SLOW = "MS408", 408, "The body did not come in time.";
    PATCH_CONFLICT = "MS409", 409, "A JSON patch does not apply to a row; details say where.";
    PRECONDITION = "MS412", 412, "The rows are not as If-Match or If-None-Match wants them; nothing was changed.";
    BODY_LARGE = "MS413", 413, "The body is larger than its limit.";
    URL_LONG = "MS414", 414, "The URL is longer than its limit.";
    CODING = "MS415", 415, "The body is packed in a way that is not taken.";
    HEAD_LARGE = "MS431", 431, "There are more or larger header fields than the limit allows.";
    AFTER_WRITE = "MS502", 502, "The rows were written, but what other stores have of them could not be read afterwards.";
    BUSY = "MS503", 503, "More requests are running than the limit allows; try again.";
    HANDLER_TIME = "MS504", 504, "The request was not done within its time limit.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as text. A change here is a change of the public interface: clients match on code and status.
    const TABLE: &str = include_str!("codes.txt");

    #[test]
    fn codes_and_statuses_stay_as_they_were_published() {
        let table: String = CODES.iter().map(|code| format!("{} {}\n", code.name, code.status)).collect();
        assert_eq!(table, TABLE, "codes.txt must list what codes.rs gives");
    }

    #[test]
    fn retired_numbers_are_not_used_again() {
        for retired in ["PGRST104", "PGRST109", "PGRST110", "PGRST113", "PGRST119"] {
            assert!(CODES.iter().all(|code| code.name != retired), "{retired}");
        }
    }
}
