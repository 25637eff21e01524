//! Paths: what each leads to. Knows no schema.

use std::borrow::Cow;

use mainstay_http::{Problem, codes};
use percent_encoding::percent_decode_str;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'p> {
    /// The root document.
    Root,
    /// Rows of this relation.
    Relation(Cow<'p, str>),
    /// A call of this function.
    Function(Cow<'p, str>),
}

/// Below which paths the API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Below `/` as PostgREST has it, and below `/rest/v1` as clients behind a gateway ask for it.
    Root,
    /// Below `/rest/v1` alone.
    RestV1,
}

const REST_V1: &str = "/rest/v1";

impl Base {
    /// The path below the base; `None` if it is elsewhere.
    pub(super) fn below(self, path: &str) -> Option<&str> {
        let below = path.strip_prefix(REST_V1).filter(|below| below.is_empty() || below.starts_with('/'));
        match (below, self) {
            (Some(""), _) => Some("/"),
            (Some(below), _) => Some(below),
            (None, Base::Root) => Some(path),
            (None, Base::RestV1) => None,
        }
    }
}

impl<'p> Route<'p> {
    /// The route of a path below the base.
    ///
    /// # Errors
    /// PGRST125.
    pub(super) fn find(path: &'p str) -> Result<Route<'p>, Problem> {
        let nowhere = || Problem::new(codes::PATH, "Invalid path specified in request URL");
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Route::Root);
        }
        let (name, is_function) = match path.strip_prefix("rpc/") {
            Some(name) => (name, true),
            None => (path, false),
        };
        if name.is_empty() || name.contains('/') {
            return Err(nowhere());
        }
        let name = percent_decode_str(name).decode_utf8().map_err(|_| nowhere())?;
        Ok(if is_function { Route::Function(name) } else { Route::Relation(name) })
    }

    /// The pattern for the log: no names from outside.
    pub(super) fn pattern(path: &str) -> &'static str {
        match Route::find(path) {
            Ok(Route::Root) => "/",
            Ok(Route::Relation(_)) => "/{relation}",
            Ok(Route::Function(_)) => "/rpc/{function}",
            Err(_) => "/{…}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_relations_functions_or_nowhere() {
        for (path, expected) in [
            ("/", Some(Route::Root)),
            ("", Some(Route::Root)),
            ("/films", Some(Route::Relation("films".into()))),
            ("/my%20films%2Fold", Some(Route::Relation("my films/old".into()))),
            ("/rpc", Some(Route::Relation("rpc".into()))),
            ("/rpc/add", Some(Route::Function("add".into()))),
            ("/%D9%85", Some(Route::Relation("م".into()))),
            ("/films/", None),
            ("/films/1", None),
            ("/rpc/", None),
            ("/rpc/a/b", None),
            ("//", None),
            ("/%ff", None),
        ] {
            assert_eq!(Route::find(path).ok(), expected, "{path}");
        }
    }

    #[test]
    fn the_base_is_taken_off() {
        for (path, root, rest) in [
            ("/films", Some("/films"), None),
            ("/rest/v1/films", Some("/films"), Some("/films")),
            ("/rest/v1", Some("/"), Some("/")),
            ("/rest/v1/", Some("/"), Some("/")),
            ("/rest/v10", Some("/rest/v10"), None),
        ] {
            assert_eq!((Base::Root.below(path), Base::RestV1.below(path)), (root, rest), "{path}");
        }
    }
}
