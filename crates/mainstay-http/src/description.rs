//! What the API tells of itself, and to whom.

use crate::openapi::About;

/// What the API tells of itself, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What it says of the API as a whole.
    pub about: About,
    /// What it lists.
    pub scope: Scope,
    /// Who may open the reference.
    pub reference: Reference,
}

/// What the description at the root lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// What its reader may use.
    #[default]
    Follow,
    /// Everything, to everybody who has a key.
    Everything,
    /// Nothing: there is no description, and no reference either.
    Off,
}

/// Who may open the reference at `/_/api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// Nobody.
    Off,
    /// Who has the secret key.
    #[default]
    Secret,
    /// Everybody; it shows what the reader's own key opens.
    Open,
    /// Everybody on this machine, with the publishable key filled in: for `mainstay dev` on a loopback address.
    Development,
}

impl Default for Description {
    fn default() -> Description {
        let about = About { title: "Mainstay".to_owned(), server: SERVER.to_owned(), aggregates: false };
        Description { about, scope: Scope::default(), reference: Reference::default() }
    }
}

/// Where the API is on the server that gives the description.
pub const SERVER: &str = "/rest/v1";
