//! The languages in which full-text indexes know the forms of words.

/// How the words of a full-text index are reduced to their stems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Not at all.
    #[default]
    Simple,
    /// Arabic.
    Arabic,
    /// Danish.
    Danish,
    /// Dutch.
    Dutch,
    /// English.
    English,
    /// Finnish.
    Finnish,
    /// French.
    French,
    /// German.
    German,
    /// Greek.
    Greek,
    /// Hungarian.
    Hungarian,
    /// Italian.
    Italian,
    /// Norwegian.
    Norwegian,
    /// Portuguese.
    Portuguese,
    /// Romanian.
    Romanian,
    /// Russian.
    Russian,
    /// Spanish.
    Spanish,
    /// Swedish.
    Swedish,
    /// Tamil.
    Tamil,
    /// Turkish.
    Turkish,
}

impl Language {
    /// Every language with its name, which is that of PostgreSQL's configuration.
    pub const ALL: [(&'static str, Language); 19] = [
        ("simple", Language::Simple),
        ("arabic", Language::Arabic),
        ("danish", Language::Danish),
        ("dutch", Language::Dutch),
        ("english", Language::English),
        ("finnish", Language::Finnish),
        ("french", Language::French),
        ("german", Language::German),
        ("greek", Language::Greek),
        ("hungarian", Language::Hungarian),
        ("italian", Language::Italian),
        ("norwegian", Language::Norwegian),
        ("portuguese", Language::Portuguese),
        ("romanian", Language::Romanian),
        ("russian", Language::Russian),
        ("spanish", Language::Spanish),
        ("swedish", Language::Swedish),
        ("tamil", Language::Tamil),
        ("turkish", Language::Turkish),
    ];

    /// The language with this name.
    pub fn parse(name: &str) -> Option<Language> {
        Language::ALL.iter().find(|(known, _)| *known == name).map(|(_, language)| *language)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Language::ALL[self as usize].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_own_name() {
        for (name, language) in Language::ALL {
            assert_eq!((Language::parse(name), language.name()), (Some(language), name));
        }
        assert_eq!(Language::parse("English"), None);
    }
}
