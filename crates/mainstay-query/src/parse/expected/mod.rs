//! What PostgREST says of a query string that does not parse.
//!
//! Its users look for its words, and its parsers tell where they got furthest and all that could have stood there. So
//! where its language alone is read, a parameter that our parsers refused is read once more by parsers that are built
//! as the language is defined and know what they expected ([`machine`]).

mod machine;

use machine::{
    Parser, ahead, all, any, attempt, but, character, end, label, many, many_once, none_of, option, satisfy, separated,
    unless, word,
};

use crate::error::ParseError;

/// Longest text that is read again. Longer ones are told of in our own words.
const TEXT_CHARS_MAX: usize = 4096;
/// Most opening parentheses in it, since parsers of what is inside call themselves.
const DEPTH_MAX: usize = 100;

/// What PostgREST makes of a text that our parsers refused.
pub(super) enum Verdict {
    /// It refuses it as well.
    Refused {
        /// What it says.
        error: ParseError,
        /// Whether it went some way before that; if not it would try something else in its place.
        has_begun: bool,
    },
    /// It reads so much of it, in octets, and passes over the rest.
    Read(usize),
}

/// What PostgREST makes of the text in an error, which stands in the parameter `key`.
pub(super) fn verdict(error: ParseError, key: &str) -> Verdict {
    let refused = |error| Verdict::Refused { error, has_begun: false };
    let ParseError::Syntax { what, text, .. } = &error else { return refused(error) };
    // The word of a logic tree is read with its value.
    let read = if *what == "logic tree" { format!("{}{text}", joint(key)) } else { text.clone() };
    let characters: Vec<char> = read.chars().collect();
    if characters.len() > TEXT_CHARS_MAX || characters.iter().filter(|c| **c == '(').count() > DEPTH_MAX {
        return refused(error);
    }
    let reply = parser(what)(&characters, 0);
    if let Some(end) = reply.end {
        let octets = characters[..end].iter().map(|c| c.len_utf8()).sum::<usize>();
        return match octets.checked_sub(read.len() - text.len()) {
            Some(octets) if octets < text.len() => Verdict::Read(octets),
            _ => refused(error),
        };
    }
    let (column, details) = (reply.fault.at + 1, reply.fault.told());
    let error = ParseError::Syntax { what, text: text.clone(), column, details };
    Verdict::Refused { error, has_begun: reply.consumed }
}

/// `or` of `films.or`, `not.or` of `films.not.or`.
fn joint(key: &str) -> String {
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    if parts.contains(&"not") { format!("not.{last}") } else { last.to_owned() }
}

fn parser(what: &str) -> Parser {
    match what {
        "select parameter" => forest(),
        "columns parameter" | "on_conflict parameter" => separated(field_name(), lexeme(character(','))),
        "filter" => operation(many(satisfy(|_| true))),
        "order" => order(),
        "logic tree" => tree(),
        "logic path" => separated(field_name(), delimiter()),
        _ => all([separated(field_name(), delimiter()), json_path()]),
    }
}

fn blanks() -> Parser {
    many(satisfy(|c| c == ' ' || c == '\t'))
}

fn lexeme(part: Parser) -> Parser {
    all([blanks(), part, blanks()])
}

fn digit() -> Parser {
    label(satisfy(|c| c.is_ascii_digit()), "digit")
}

fn identifier() -> Parser {
    let letter = label(satisfy(char::is_alphabetic), "letter");
    many_once(any([letter, digit(), satisfy(|c| "_ $".contains(c))]))
}

/// Runs joined by hyphens, of which none begins an arrow.
fn hyphenated(run: Parser) -> Parser {
    separated(run, attempt(all([character('-'), unless(|c| c == '>')])))
}

fn quoted() -> Parser {
    let escaped = all([character('\\'), satisfy(|_| true)]);
    all([character('"'), many(any([none_of("\\\""), escaped])), character('"')])
}

fn field_name() -> Parser {
    label(any([quoted(), hyphenated(identifier())]), "field name (* or [a..z0..9_$])")
}

fn delimiter() -> Parser {
    label(character('.'), "delimiter (.)")
}

fn json_path() -> Parser {
    let key = any([quoted(), hyphenated(many_once(none_of("(-:.,>)")))]);
    let key = label(key, "any non reserved character different from: .,>()");
    let after = |text| attempt(ahead(word(text)));
    let index_end = any([after("->"), after("::"), after("."), after(","), attempt(end())]);
    let index = all([option(character('-')), many_once(digit()), index_end]);
    let arrow = any([attempt(word("->>")), attempt(word("->"))]);
    many(all([arrow, any([attempt(index), attempt(key)])]))
}

fn field() -> Parser {
    lexeme(all([field_name(), option(json_path())]))
}

fn alias() -> Parser {
    let separator = all([character(':'), unless(|c| c == ':')]);
    option(attempt(all([field_name(), separator])))
}

fn forest() -> Parser {
    option(separated(item(), lexeme(character(','))))
}

fn item() -> Parser {
    // What is inside an embed is read only when there is one, and then it is nothing else.
    let inside = || {
        let forest: Parser = std::rc::Rc::new(|text, at| forest()(text, at));
        all([character('('), forest, character(')')])
    };
    let parameter = || {
        let name = any([attempt(word("left")), attempt(word("inner")), attempt(field_name())]);
        option(all([character('!'), name]))
    };
    let opens = || attempt(ahead(word("(")));
    let spread = lexeme(all([word("..."), field_name(), parameter(), parameter(), opens()]));
    let embed = lexeme(all([alias(), but(field_name(), "count"), parameter(), parameter(), opens()]));
    any([all([attempt(spread), inside()]), all([attempt(embed), inside()]), member()])
}

fn member() -> Parser {
    let after = |text| attempt(ahead(word(text)));
    let ends = || any([after(")"), after(","), attempt(end())]);
    let cast = || option(all([word("::"), identifier()]));
    // Only the two that begin alike are told apart by trying.
    let functions = [word("sum"), word("avg"), word("count"), attempt(word("max")), attempt(word("min"))];
    let function = option(attempt(all([character('.'), any(functions), word("()")])));
    lexeme(any([
        attempt(all([word("*"), ends()])),
        attempt(all([alias(), word("count()"), cast(), ends()])),
        all([alias(), field(), cast(), function, cast(), ends()]),
    ]))
}

/// A comparison, whose value is read by `value`.
fn operation(value: Parser) -> Parser {
    let negated = option(attempt(all([word("not"), delimiter()])));
    let plain = ["neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"].map(|name| attempt(word(name)));
    let quantified =
        ["eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch"].map(|name| attempt(word(name)));
    let searches = ["fts", "plfts", "phfts", "wfts"].map(|name| attempt(word(name)));
    let enclosed = |inside| option(attempt(all([character('('), inside, character(')')])));
    let quantifier = enclosed(any([attempt(word("any")), word("all")]));
    let language = enclosed(many_once(satisfy(|c| c.is_alphanumeric() || c == '_')));
    let operation = any([
        all([attempt(all([word("in"), delimiter()])), list()]),
        all([attempt(all([word("is"), delimiter()])), is_value()]),
        all([attempt(all([word("isdistinct"), delimiter()])), value.clone()]),
        attempt(all([any(searches), language, delimiter(), value.clone()])),
        attempt(all([any(plain), delimiter(), value.clone()])),
        attempt(all([any(quantified), quantifier, delimiter(), value])),
    ]);
    all([negated, label(operation, "operator (eq, gt, ...)")])
}

/// A quoted value with the end of a value behind it.
fn enclosed_value() -> Parser {
    attempt(all([quoted(), unless(|c| !",)".contains(c))]))
}

fn list() -> Parser {
    let element = any([enclosed_value(), many(none_of(",)"))]);
    // An element may be empty, so the commas carry the list.
    all([lexeme(character('(')), element.clone(), many(all([character(','), element])), lexeme(character(')'))])
}

fn is_value() -> Parser {
    let in_any_case = |text: &'static str| -> Parser {
        let letters: Vec<Parser> =
            text.chars().map(|c| any([character(c), character(c.to_ascii_uppercase())])).collect();
        attempt(letters.into_iter().reduce(|before, letter| all([before, letter])).unwrap_or_else(end))
    };
    let words = ["null", "not_null", "true", "false", "unknown"].map(in_any_case);
    label(any(words), "isVal: (null, not_null, true, false, unknown)")
}

fn order() -> Parser {
    let follows = |text| attempt(all([delimiter(), word(text)]));
    let ends = || any([attempt(ahead(character(','))), attempt(end())]);
    let tail = || {
        let direction = option(any([follows("asc"), follows("desc")]));
        let nulls = option(any([follows("nullsfirst"), follows("nullslast")]));
        all([direction, any([all([nulls, ends()]), ends()])])
    };
    let related = all([field_name(), character('('), field(), character(')'), tail()]);
    let term = any([attempt(related), all([field(), tail()])]);
    separated(lexeme(term), character(','))
}

fn tree() -> Parser {
    let array = attempt(all([character('{'), many(none_of("{}")), character('}')]));
    let value = any([enclosed_value(), array, many(none_of(",)"))]);
    let comparison = all([field(), delimiter(), operation(value)]);
    let negation = label(option(attempt(all([word("not"), delimiter()]))), "negation operator (not)");
    let joint = label(any([attempt(word("and")), word("or")]), "logic operator (and, or)");
    let inner: Parser = std::rc::Rc::new(|text, at| tree()(text, at));
    let branches = separated(inner, lexeme(character(',')));
    any([attempt(comparison), all([negation, joint, lexeme(character('(')), branches, lexeme(character(')'))])])
}
