//! What saving a file does to a project that is being served.

use std::sync::Arc;

use mainstay_engine::Engine;
use mainstay_schema::Mistake;

use super::super::{Console, Failure, first_start};
use super::terminal;
use crate::config::Override;
use crate::migrations::{self, Allow, Synced};
use crate::project::{self, Project};
use crate::stores::Stores;

/// A project that is being served and worked on.
pub(super) struct Session {
    /// As it was when it was last without mistakes.
    project: Project,
    overrides: Vec<Override>,
    engine: Arc<Engine>,
    stores: Stores,
    console: Console,
    /// Whether the changes of the tables wait for a yes, because they lose something.
    is_waiting: bool,
}

impl Session {
    /// Brings the tables of `project` to its schema as far as nothing is lost, and fills those of a new database.
    pub(super) async fn begin(
        project: Project,
        overrides: Vec<Override>,
        engine: Arc<Engine>,
        stores: Stores,
        console: Console,
    ) -> Result<Session, Failure> {
        let mut session = Session { project, overrides, engine, stores, console, is_waiting: false };
        // That everything is new needs no list.
        first_start::create(&session.project, &session.stores, &session.console).await?;
        let synced = session.bring(Allow::Safe).await?;
        if synced.waiting && session.stores.parts().len() > 1 {
            // What the schema says is not there, and of several stores nobody knows what was before.
            let problem = "the tables are not as the schema says, and making them so would lose data; see what differs with \
                           `mainstay migrate plan`, then run `mainstay migrate apply`";
            return Err(Failure::Usage(problem.to_owned()));
        }
        if synced.did_anything() {
            session.say_done(&synced);
        }
        Ok(session)
    }

    /// Serves what was saved, or says why not and goes on with what was served before.
    pub(super) async fn reload(&mut self) {
        let project = match Project::open(&self.project.folder, &self.overrides) {
            Ok(project) => project,
            Err(mistakes) => return self.say_mistakes(&mistakes),
        };
        if project.settings != self.project.settings {
            self.console.line("the settings changed; start again to use them");
        }
        let has_same_stores = project.settings.all_stores().eq(self.project.settings.all_stores());
        if !has_same_stores {
            return;
        }
        self.stores = self.stores.with_project(&project);
        let is_same = project.schema == self.project.schema && project.waiting == self.project.waiting;
        let is_same = is_same && !self.is_waiting;
        self.project = project;
        if !is_same {
            self.bring_or_say(Allow::Safe).await;
        }
    }

    /// Takes what was typed as the answer to the question that waits, if one does.
    pub(super) async fn answer(&mut self, line: &str) {
        if !self.is_waiting {
            return;
        }
        if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            self.bring_or_say(Allow::All).await;
        } else {
            self.console.line("nothing was changed; the API goes on with the tables as they are");
        }
    }

    async fn bring_or_say(&mut self, allow: Allow) {
        match self.bring(allow).await {
            Ok(synced) if synced.is_done() => self.say_done(&synced),
            Ok(_) => {}
            Err(failure) => {
                self.console.line(failure.to_string());
                self.console.line("the API goes on with the tables as they are");
            }
        }
    }

    /// Brings the tables to the schema, and serves them; or asks, and serves the tables as they are.
    async fn bring(&mut self, allow: Allow) -> Result<Synced, Failure> {
        let mut synced = Synced::default();
        for part in self.stores.parts() {
            let one = migrations::sync(&part.project, &*part.store, allow).await.map_err(anyhow::Error::from)?;
            synced.add(one);
        }
        self.is_waiting = synced.waiting;
        if let (true, [part]) = (synced.waiting, self.stores.parts()) {
            let tables = first_start::applied_schema(part).await?;
            // Functions that do not fit the tables as they are wait with the tables.
            let with_functions =
                project::add_functions(&self.project.folder, &self.project.settings.store, tables.clone());
            self.engine.replace_schema(with_functions.unwrap_or(tables));
            self.ask(&synced);
        } else if synced.waiting {
            // What is served stays as it was.
            self.ask(&synced);
        } else {
            self.serve();
        }
        Ok(synced)
    }

    /// Serves the tables, which are as the schema says, and the functions.
    fn serve(&self) {
        let mistakes = match self.project.clone().with_functions() {
            Ok(project) => return drop(self.engine.replace_schema((*project.schema).clone())),
            Err(mistakes) => mistakes,
        };
        for mistake in &mistakes {
            self.console.line(mistake.to_string());
        }
        // Functions that were served go on as long as their tables do.
        if self.engine.schema().tables() == self.project.schema.tables() {
            return self.console.line("the API goes on with the functions as they were");
        }
        self.engine.replace_schema((*self.project.schema).clone());
        self.console.line("the API goes on without functions");
    }

    fn say_mistakes(&self, mistakes: &[Mistake]) {
        for mistake in mistakes {
            self.console.line(mistake.to_string());
        }
        self.console.line("the API goes on with the schema as it was");
    }

    fn say_done(&self, synced: &Synced) {
        for file in &synced.files {
            self.console.line(format!("applied {}", file.file));
        }
        for step in &synced.steps {
            self.console.line(format!("  {step}"));
        }
        self.console.line("the tables are as the schema says");
    }

    fn ask(&self, synced: &Synced) {
        self.console.line("this would lose data:");
        for loss in &synced.losses {
            self.console.line(format!("  {loss}"));
        }
        if terminal::is_there() {
            self.console.line("do it? y or n");
        } else {
            let remedy = "take the change back, or write and apply a migration: `mainstay migrate new`, \
                          `mainstay migrate apply`";
            self.console.line(format!("the tables stay as they are; {remedy}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::wire;

    const NOTES: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\n";

    fn save(folder: &Path, fields: &str) {
        std::fs::write(folder.join("schema/notes.toml"), format!("{NOTES}{fields}")).unwrap();
    }

    async fn begin(folder: &Path) -> Session {
        let project = Project::open(folder, &[]).unwrap();
        let (engine, stores) = wire::engine(&project).unwrap();
        Session::begin(project, Vec::new(), engine, stores, Console { json: false }).await.unwrap()
    }

    fn serves(session: &Session, column: &str) -> bool {
        session.engine.schema().find("notes").unwrap().find_column(column).is_some()
    }

    #[tokio::test]
    async fn only_a_yes_lets_data_go() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("schema")).unwrap();
        std::fs::write(folder.path().join("mainstay.toml"), "").unwrap();
        save(folder.path(), "text = \"text\"\n");
        let mut session = begin(folder.path()).await;

        session.answer("y").await;
        assert!(serves(&session, "text"), "nothing was asked yet");
        save(folder.path(), "");
        session.reload().await;
        for answer in ["", "n", "yikes"] {
            session.answer(answer).await;
            assert!(session.is_waiting && serves(&session, "text"), "{answer:?}");
        }
        session.answer(" Y\n").await;
        assert!(!session.is_waiting && !serves(&session, "text"));
        session.engine.store().close().await;

        // What was agreed to holds at the next start as well.
        let session = begin(folder.path()).await;
        assert!(!session.is_waiting && !serves(&session, "text"));
    }
}
