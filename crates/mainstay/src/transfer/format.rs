//! The forms of a file: which records, compressed or not.

use std::path::Path;

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RecordFormat {
    /// A header line, then one record a line; an empty field without quotes is null.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// One object of MongoDB's Extended JSON a line, as `mongoexport` writes it.
    ExtendedJson,
}

/// Records and compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileForm {
    /// How records lie in it.
    pub records: RecordFormat,
    /// Whether it is compressed with gzip.
    pub gzip: bool,
}

impl FileForm {
    /// What the ending of a file says, `declared` going before it. `None` if neither says how records lie.
    pub fn of(path: &Path, declared: Option<RecordFormat>) -> Option<FileForm> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let (name, gzip) = match name.strip_suffix(".gz") {
            Some(inner) => (inner.to_owned(), true),
            None => (name, false),
        };
        let by_name = || {
            let (_, ending) = name.rsplit_once('.')?;
            match ending {
                "csv" => Some(RecordFormat::Csv),
                "ndjson" | "jsonl" => Some(RecordFormat::Ndjson),
                "json" => Some(RecordFormat::Json),
                "extjson" => Some(RecordFormat::ExtendedJson),
                _ => None,
            }
        };
        declared.or_else(by_name).map(|records| FileForm { records, gzip })
    }

    /// What to tell somebody whose file has an ending that says nothing.
    pub(super) fn unknown(path: &Path) -> String {
        format!(
            "{}: the ending does not say how records lie in it; name the file *.csv, *.ndjson, *.json or *.extjson (each also with .gz), or give --format",
            path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_form_and_a_declared_format_goes_before_it() {
        let check = |name: &str, declared, expected: Option<(RecordFormat, bool)>| {
            let form = FileForm::of(Path::new(name), declared).map(|form| (form.records, form.gzip));
            assert_eq!(form, expected, "{name}");
        };
        check("a/events.csv", None, Some((RecordFormat::Csv, false)));
        check("events.CSV.GZ", None, Some((RecordFormat::Csv, true)));
        check("x.jsonl", None, Some((RecordFormat::Ndjson, false)));
        check("x.ndjson.gz", None, Some((RecordFormat::Ndjson, true)));
        check("x.json", None, Some((RecordFormat::Json, false)));
        check("x.extjson.gz", None, Some((RecordFormat::ExtendedJson, true)));
        check("x.gz", None, None);
        check("x.txt", None, None);
        check("csv", None, None);
        check("x.txt.gz", Some(RecordFormat::Csv), Some((RecordFormat::Csv, true)));
        check("x.json", Some(RecordFormat::Ndjson), Some((RecordFormat::Ndjson, false)));
    }
}
