//! `name=fts.word`: full-text searches, each by an index that is declared for it.

use mainstay_schema::{ColumnId, FullText, Language, Table, Type};

use super::resolve::{self, not_implemented};
use super::{Filter, Search};
use crate::error::{ParseError, PlanError};
use crate::evaluate::{SearchError, SearchQuery};
use crate::request::{Field, SearchSyntax};

/// The search of a column, or of all the columns of the full-text index that `field` names.
///
/// # Errors
/// [`PlanError`] if there is no such column or language, if the search does not parse, or if no index is declared.
pub(super) fn plan(
    table: &Table,
    field: &Field,
    syntax: SearchSyntax,
    language: Option<&str>,
    text: &str,
) -> Result<Filter, PlanError> {
    let language = language
        .map(|name| Language::parse(name).ok_or_else(|| PlanError::UnknownLanguage { name: name.to_owned() }))
        .transpose()?;
    let is_wanted = |index: &FullText| language.is_none_or(|language| language == index.language);
    let named = |index: &FullText| {
        field.path.is_empty() && *index.name == *field.name && table.find_column(&field.name).is_none()
    };
    let (index, columns) = match table.fulltexts.iter().position(named) {
        Some(index) if is_wanted(&table.fulltexts[index]) => (index, table.fulltexts[index].columns.clone()),
        Some(index) => return Err(undeclared(table, &field.name, &table.fulltexts[index].columns, language)),
        None => {
            let column = text_column(table, field, syntax)?;
            let holds = |index: &FullText| index.columns.contains(&column) && is_wanted(index);
            let index = table.fulltexts.iter().position(holds);
            (index.ok_or_else(|| undeclared(table, &field.name, &[column], language))?, vec![column])
        }
    };
    let query = SearchQuery::parse(syntax, table.fulltexts[index].language, text).map_err(wrong)?;
    Ok(Filter::Search(Search { index, columns, query }))
}

fn text_column(table: &Table, field: &Field, syntax: SearchSyntax) -> Result<ColumnId, PlanError> {
    let column = resolve::column(table, &field.name)?;
    match column.ty {
        Type::Text if field.path.is_empty() => Ok(column.id),
        Type::Text | Type::Json | Type::Array(_) => {
            let details =
                format!("A search in parts of {}.{}: only whole text columns are searched.", table.name, column.name);
            Err(not_implemented(details))
        }
        _ => Err(PlanError::NoOperator { ty: column.ty.wire_name(), operator: syntax.word() }),
    }
}

/// Nothing is searched without an index: it would read and take apart every row.
fn undeclared(table: &Table, name: &str, columns: &[ColumnId], language: Option<Language>) -> PlanError {
    if !table.is_writable() {
        return not_implemented(format!("A search in {}.{name}: views have no full-text indexes.", table.name));
    }
    let fields: Vec<String> = columns.iter().map(|column| format!("{:?}", table.column(*column).name)).collect();
    not_implemented(format!(
        "A search in {}.{name} needs a full-text index. Declare under [{}.indexes]: \
         search = {{ fulltext = [{}], language = \"{}\" }}.",
        table.name,
        table.name,
        fields.join(", "),
        language.unwrap_or(Language::English).name(),
    ))
}

fn wrong(error: SearchError) -> PlanError {
    match error {
        SearchError::Syntax { text } => PlanError::SearchSyntax { text },
        SearchError::TooMuch { limit, max, given } => PlanError::Parse(ParseError::TooMuch { limit, max, given }),
        error @ SearchError::Weights => not_implemented(format!("{error}.")),
    }
}
