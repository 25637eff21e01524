//! `[project]`.

use super::Kind;

section! {
    /// What the project is.
    ProjectSettings in "project" {
        /// Name of the project, for people. Without it, the name of the folder.
        name: Option<String> = Kind::Text;
    }
}
