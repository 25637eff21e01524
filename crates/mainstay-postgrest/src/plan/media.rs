//! Media types: what a caller accepts, and which of it the body becomes.

use std::fmt;

use mainstay_http::{Problem, codes};

use crate::catalog::{Catalog, Function, HandlerSource, Name, ReturnType};
use crate::sql::Body;

/// A media type of `Accept`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// `*/*`
    Any,
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.array+json`
    Array {
        /// `;nulls=stripped`: members that are null are left out.
        is_stripped: bool,
    },
    /// `application/vnd.pgrst.object+json`, with or without `+json`.
    Object {
        /// As above.
        is_stripped: bool,
    },
    /// `text/csv`
    Csv,
    /// `application/geo+json`
    GeoJson,
    /// `application/openapi+json`
    OpenApi,
    /// `application/vnd.pgrst.plan`
    Plan(Box<PlanMedia>),
    /// Any other, as it was written: `image/png`; `text/plain`, `text/xml` and `application/octet-stream` without parameters.
    Other(String),
}

/// The plan of a request in place of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanMedia {
    /// What the plan is of (`for="…"`); JSON when it does not say.
    pub of: Media,
    /// Whether the plan is JSON; else text.
    pub is_json: bool,
    /// `options=`: of `analyze`, `verbose`, `settings`, `buffers`, `wal`; unknown ones left out.
    pub options: Vec<PlanOption>,
}

/// An option of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOption {
    /// Runs the statement.
    Analyze,
    /// Columns and names in full.
    Verbose,
    /// Settings that differ from their defaults.
    Settings,
    /// What was read and written.
    Buffers,
    /// What was written ahead.
    Wal,
}

impl PlanOption {
    /// Every option by its word.
    pub const ALL: [(&'static str, PlanOption); 5] = [
        ("analyze", PlanOption::Analyze),
        ("verbose", PlanOption::Verbose),
        ("settings", PlanOption::Settings),
        ("buffers", PlanOption::Buffers),
        ("wal", PlanOption::Wal),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        PlanOption::ALL[self as usize].0
    }
}

impl Media {
    /// Whether exactly one row must come of it.
    pub fn is_singular(&self) -> bool {
        match self {
            Media::Object { .. } => true,
            Media::Plan(plan) => plan.of.is_singular(),
            _ => false,
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(&self) -> String {
        match self {
            Media::Other(name) => match name.as_str() {
                "text/plain" | "text/xml" => format!("{name}; charset=utf-8"),
                _ => name.clone(),
            },
            other => format!("{other}; charset=utf-8"),
        }
    }
}

/// As it is written in headers and messages.
impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Media::Any => "*/*",
            Media::Json | Media::Array { is_stripped: false } => "application/json",
            Media::Array { is_stripped: true } => "application/vnd.pgrst.array+json;nulls=stripped",
            Media::Object { is_stripped: false } => "application/vnd.pgrst.object+json",
            Media::Object { is_stripped: true } => "application/vnd.pgrst.object+json;nulls=stripped",
            Media::Csv => "text/csv",
            Media::GeoJson => "application/geo+json",
            Media::OpenApi => "application/openapi+json",
            Media::Plan(plan) => {
                let format = if plan.is_json { "json" } else { "text" };
                write!(f, "application/vnd.pgrst.plan+{format}; for=\"{}\"", plan.of)?;
                if !plan.options.is_empty() {
                    let words: Vec<&str> = plan.options.iter().map(|option| option.word()).collect();
                    write!(f, "; options={}", words.join("|"))?;
                }
                return Ok(());
            }
            Media::Other(name) => name,
        })
    }
}

/// What a body is made of.
pub(super) enum Made<'c> {
    /// Rows of this relation.
    Relation {
        /// Its name.
        name: &'c Name,
        /// Whether all its columns are selected and nothing else.
        is_star: bool,
    },
    /// What this function gives.
    Function {
        /// The function.
        function: &'c Function,
        /// As above, of the relation whose rows it gives.
        is_star: bool,
    },
}

/// A body, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// How it is made.
    pub body: Body,
    /// What was accepted; for a plan, what the plan is of.
    pub media: Media,
    /// `Content-Type`, which a function for `*/*` may replace.
    pub content_type: String,
    /// The plan that is wanted in place of the body.
    pub plan: Option<PlanMedia>,
}

/// The first that can be made of what is accepted.
pub(super) fn choose(
    catalog: &Catalog,
    made: &Made<'_>,
    accept: &[Media],
    plans_allowed: bool,
) -> Result<Chosen, Problem> {
    for media in accept {
        let (inner, plan) = match media {
            Media::Plan(plan) if plans_allowed => (&plan.of, Some((**plan).clone())),
            Media::Plan(_) => continue,
            other => (other, None),
        };
        if let Some((body, inner)) = one(catalog, made, inner) {
            let content_type = if plan.is_some() { media.content_type() } else { inner.content_type() };
            return Ok(Chosen { body, content_type, media: inner, plan });
        }
    }
    let names: Vec<String> = accept.iter().map(Media::to_string).collect();
    Err(Problem::new(codes::MEDIA, format!("None of these media types are available: {}", names.join(", "))))
}

fn one(catalog: &Catalog, made: &Made<'_>, media: &Media) -> Option<(Body, Media)> {
    let body = match media {
        // These say what they are by their parameters, so that nothing can stand in for them.
        Media::Array { is_stripped: true } => stripped(json(made)),
        Media::Object { is_stripped: false } => object(json(made)),
        Media::Object { is_stripped: true } => stripped(object(json(made))),
        media => return of_database(catalog, made, media).or_else(|| built_in(made, media)),
    };
    Some((body, media.clone()))
}

fn built_in(made: &Made<'_>, media: &Media) -> Option<(Body, Media)> {
    match media {
        Media::Any | Media::Json | Media::Array { .. } => Some((json(made), Media::Json)),
        Media::Csv if is_void(made) => Some((Body::Nothing, Media::Csv)),
        Media::Csv => Some((Body::Csv, Media::Csv)),
        Media::GeoJson if is_void(made) => Some((Body::Nothing, Media::GeoJson)),
        // Where there is no PostGIS the server says so.
        Media::GeoJson => Some((Body::GeoJson, Media::GeoJson)),
        _ => None,
    }
}

/// JSON in the form that fits what it is made of.
fn json(made: &Made<'_>) -> Body {
    let Made::Function { function, .. } = made else { return Body::Json };
    match (&function.returns.what, function.returns.is_set) {
        (ReturnType::Void, _) => Body::Nothing,
        (ReturnType::Scalar(_), false) => Body::Scalar,
        (ReturnType::Scalar(_), true) => Body::ScalarSet,
        (ReturnType::Composite { .. }, false) => Body::SingleComposite,
        (ReturnType::Composite { .. }, true) => Body::Json,
    }
}

/// The same without members that are null.
fn stripped(body: Body) -> Body {
    match body {
        Body::Json => Body::StrippedArray,
        Body::Object | Body::SingleComposite => Body::StrippedObject,
        Body::Scalar => Body::StrippedScalar,
        Body::ScalarSet => Body::StrippedScalarSet,
        other => other,
    }
}

/// The one row of it; a value that stands alone stays as it is.
fn object(body: Body) -> Body {
    match body {
        Body::Json | Body::SingleComposite | Body::ScalarSet => Body::Object,
        other => other,
    }
}

fn is_void(made: &Made<'_>) -> bool {
    matches!(made, Made::Function { function, .. } if function.returns.what == ReturnType::Void)
}

/// What the database itself makes: for exactly this relation or function and everything, for it and this type, or for
/// any rows and this type. What is for one relation takes its whole rows.
fn of_database(catalog: &Catalog, made: &Made<'_>, media: &Media) -> Option<(Body, Media)> {
    let (name, is_star) = match made {
        Made::Relation { name, is_star } => (*name, *is_star),
        Made::Function { function, is_star } => match &function.returns.what {
            ReturnType::Composite { ty, is_relation: true } => (ty, *is_star),
            _ => (&function.name, *is_star),
        },
    };
    let own = |wanted: &str| {
        catalog.handlers.iter().filter(|handler| is_star && handler.media == wanted).find_map(|handler| match &handler
            .source
        {
            HandlerSource::Function(function) if function == name => Some(Body::Function),
            HandlerSource::Aggregate(aggregate) if handler.relation.as_ref() == Some(name) => {
                Some(Body::Aggregate(aggregate.clone(), Some(name.clone())))
            }
            _ => None,
        })
    };
    if let Some(body) = own(ANYTHING) {
        return Some((body, Media::Other(OCTETS.to_owned())));
    }
    let wanted = media.to_string();
    let of_all = || {
        catalog.handlers.iter().find_map(|handler| match &handler.source {
            HandlerSource::Aggregate(aggregate) if handler.relation.is_none() && handler.media == wanted => {
                Some(Body::Aggregate(aggregate.clone(), None))
            }
            _ => None,
        })
    };
    let body = own(&wanted).or_else(of_all)?;
    let media = if wanted == ANYTHING { Media::Other(OCTETS.to_owned()) } else { media.clone() };
    Some((body, media))
}

const ANYTHING: &str = "*/*";
/// What a body for anything is called, unless the database calls it something.
const OCTETS: &str = "application/octet-stream";
