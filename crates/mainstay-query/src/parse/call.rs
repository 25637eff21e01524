//! The query string of a function call, in which arguments and filters of the result stand side by side.

use super::{Key, Purpose, Reader, Untaken};
use crate::error::ParseError;
use crate::limits::Limits;
use crate::request::Query;

/// A query string, and the arguments in it by name.
pub type CallQuery = (Query, Vec<(String, String)>);

/// Reads the query string of a function call by `GET` or `HEAD`: what does not parse as a filter is an argument.
///
/// # Errors
/// [`ParseError`] with the first parameter of the result that does not parse.
pub fn call(text: &str, limits: &Limits) -> Result<CallQuery, ParseError> {
    let mut reader = Reader::new(Purpose::Call, limits);
    let mut arguments = Vec::new();
    for (key, value) in super::pairs(text, limits)? {
        let name = match reader.take(&key, &value) {
            Ok(()) => continue,
            // PostgREST takes the last part of a name, as it would of a filter's.
            Err(Untaken::NoFilter(_)) if limits.postgrest_only => {
                Key::parse(&key, limits).map_or(key, |key| key.field.name)
            }
            Err(Untaken::NoFilter(_)) => key,
            // A name that could be no column's.
            Err(Untaken::Refused(ParseError::Syntax { what: "tree path", .. })) if !limits.postgrest_only => key,
            Err(Untaken::Refused(error)) => return Err(error),
        };
        arguments.push((name, value));
        super::within("items_max", limits.items_max, arguments.len())?;
    }
    reader.end()?;
    Ok((reader.query, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// rest.md 13.
    #[test]
    fn what_is_no_filter_is_an_argument() {
        let (query, arguments) =
            call("a=1&id=eq.1&name=eq&b=%7B1,2%7D&b=x.y&order=id&limit=3&select=id&c=", &Limits::default()).unwrap();
        let arguments: Vec<(&str, &str)> = arguments.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(arguments, [("a", "1"), ("name", "eq"), ("b", "{1,2}"), ("b", "x.y"), ("c", "")]);
        assert_eq!((query.filters.len(), query.order.len(), query.limit.len(), query.select.len()), (1, 1, 1, 1));
    }

    /// rest.md 2, 13: only PostgREST's words are reserved.
    #[test]
    fn our_own_words_are_arguments() {
        let (query, arguments) =
            call("after=2020-01-01&distinct=true&having=(count.gt.1)&t.distinct=true", &Limits::default()).unwrap();
        let arguments: Vec<(&str, &str)> = arguments.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(arguments, [("after", "2020-01-01"), ("distinct", "true")]);
        assert_eq!((query.after, query.distinct.len(), query.having.len()), (None, 1, 1));
    }

    #[test]
    fn parts_of_the_result_must_parse() {
        for bad in ["order=id.sideways", "and=(x", "limit=-1", "select=a(", "a=%ff"] {
            assert!(call(bad, &Limits::default()).is_err(), "{bad}");
        }
        let many: String = (0..5000).map(|n| format!("a{n}=1&")).collect();
        assert!(matches!(call(&many, &Limits::default()), Err(ParseError::TooMuch { .. })));
    }
}
