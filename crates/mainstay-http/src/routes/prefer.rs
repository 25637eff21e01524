//! What a request prefers, and which of it was applied.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mainstay_query::parse::prefer::{self, CountPreference, Handling, Missing, Preferences, Return};
use mainstay_query::request::Resolution;

use crate::encode::zoned::Zone;
use crate::errors::Problem;
use crate::errors::codes::{PARAMETER_VALUE, PREFERENCES};

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Reads every `Prefer` header. One that is not text is passed over, as any preference may be.
pub(super) fn read(headers: &HeaderMap) -> Preferences {
    prefer::prefer(headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok()))
}

/// Refuses what a strict caller must not be denied silently, and a zone that is none; gives the zone.
pub(super) fn check(preferences: &Preferences) -> Result<Option<Zone>, Problem> {
    if preferences.is_strict() && !preferences.unknown.is_empty() {
        let details = format!("Invalid preferences: {}", preferences.unknown.join(", "));
        return Err(Problem::new(PREFERENCES, "Invalid preferences given with handling=strict").details(details));
    }
    match &preferences.timezone {
        None => Ok(None),
        Some(zone) if is_utc(zone) => Ok(None),
        Some(zone) => Zone::parse(zone).map(Some).ok_or_else(|| {
            let shown: String = zone.chars().take(100).collect();
            Problem::new(PARAMETER_VALUE, format!("invalid value for parameter \"TimeZone\": \"{shown}\""))
        }),
    }
}

/// All timestamps are kept in UTC, so this zone costs nothing.
fn is_utc(zone: &str) -> bool {
    ["UTC", "Etc/UTC", "GMT"].iter().any(|name| zone.eq_ignore_ascii_case(name))
}

/// How transactions that write end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TxEnd {
    /// What was written stays, whatever the caller prefers.
    Commit,
    /// What was written stays, unless the caller prefers otherwise.
    #[default]
    CommitAllowOverride,
    /// What was written is undone, whatever the caller prefers.
    Rollback,
    /// What was written is undone, unless the caller prefers otherwise.
    RollbackAllowOverride,
}

impl TxEnd {
    /// Whether `Prefer: tx=` counts. Where it does not, it is passed over, by strict callers too.
    pub(super) fn allows_override(self) -> bool {
        matches!(self, TxEnd::CommitAllowOverride | TxEnd::RollbackAllowOverride)
    }

    /// Whether what this caller writes is undone.
    pub(super) fn rolls_back(self, preferences: &Preferences) -> bool {
        match preferences.tx.filter(|_| self.allows_override()) {
            Some(end) => end == prefer::TxEnd::Rollback,
            None => matches!(self, TxEnd::Rollback | TxEnd::RollbackAllowOverride),
        }
    }
}

/// What of the server and of the table decides which preferences are relevant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relevance {
    /// Whether `tx=` counts.
    pub(super) tx: bool,
    /// Whether an insert can meet a row that is there: the table has a key, or `on_conflict` names one.
    pub(super) resolution: bool,
}

/// The `Preference-Applied` of an answer to this method, in its fixed order.
pub(super) fn applied(preferences: &Preferences, method: &Method, relevance: Relevance) -> Option<HeaderValue> {
    let is_insert = *method == Method::POST;
    let is_replace = *method == Method::PUT;
    let is_write = is_insert || is_replace || *method == Method::PATCH || *method == Method::DELETE;
    let resolution =
        preferences.resolution.filter(|_| is_insert && relevance.resolution).map(|resolution| match resolution {
            Resolution::Merge => "resolution=merge-duplicates",
            Resolution::Ignore => "resolution=ignore-duplicates",
        });
    let missing =
        preferences.missing.filter(|_| is_write && !is_replace && *method != Method::DELETE).map(
            |missing| match missing {
                Missing::Default => "missing=default",
                Missing::Null => "missing=null",
            },
        );
    let answer = preferences.answer.filter(|_| is_write).map(|answer| match answer {
        Return::Minimal => "return=minimal",
        Return::HeadersOnly => "return=headers-only",
        Return::Representation => "return=representation",
    });
    let count = preferences.count.map(|count| match count {
        CountPreference::Exact => "count=exact",
        CountPreference::Planned => "count=planned",
        CountPreference::Estimated => "count=estimated",
    });
    let tx = preferences.tx.filter(|_| relevance.tx).map(|end| match end {
        prefer::TxEnd::Commit => "tx=commit",
        prefer::TxEnd::Rollback => "tx=rollback",
    });
    let handling = preferences.handling.map(|handling| match handling {
        Handling::Strict => "handling=strict",
        Handling::Lenient => "handling=lenient",
    });
    let zone = preferences.timezone.as_ref().map(|zone| format!("timezone={zone}"));
    let affected = affected_max(preferences, method).map(|max| format!("max-affected={max}"));
    let all = [resolution, missing, answer, count, tx, handling, zone.as_deref(), affected.as_deref()];
    let applied: Vec<_> = all.into_iter().flatten().collect();
    if applied.is_empty() { None } else { HeaderValue::try_from(applied.join(", ")).ok() }
}

/// The most rows that this request may affect.
pub(super) fn affected_max(preferences: &Preferences, method: &Method) -> Option<u64> {
    let is_relevant = preferences.is_strict() && (*method == Method::PATCH || *method == Method::DELETE);
    preferences.max_affected.filter(|_| is_relevant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_applied(method: Method, prefer: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(PREFER, HeaderValue::from_str(prefer).unwrap());
        let relevance = Relevance { tx: true, resolution: true };
        let applied = applied(&read(&headers), &method, relevance);
        assert_eq!(applied.as_ref().map(|value| value.to_str().unwrap()), expected, "{method} {prefer}");
    }

    #[test]
    fn what_is_relevant_is_named_in_a_fixed_order() {
        let all =
            "max-affected=5,handling=strict,count=exact,return=minimal,missing=default,resolution=merge-duplicates";
        check_applied(Method::GET, all, Some("count=exact, handling=strict"));
        check_applied(
            Method::POST,
            all,
            Some("resolution=merge-duplicates, missing=default, return=minimal, count=exact, handling=strict"),
        );
        check_applied(
            Method::PATCH,
            all,
            Some("missing=default, return=minimal, count=exact, handling=strict, max-affected=5"),
        );
        check_applied(Method::DELETE, all, Some("return=minimal, count=exact, handling=strict, max-affected=5"));
        check_applied(Method::DELETE, "max-affected=5", None);
        check_applied(Method::GET, "nonsense", None);
    }
}
