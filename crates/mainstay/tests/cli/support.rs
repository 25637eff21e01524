//! Runs the executable, and talks to the one that serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A fresh folder that goes when the test is over.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap() }
    }

    /// A project with these settings and this schema.
    pub(crate) fn project(settings: &str, schema: &str) -> Folder {
        let folder = Folder::new();
        folder.write("mainstay.toml", settings);
        folder.write("schema/shop.toml", schema);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// A command that runs in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        // Nothing of the machine's own settings; the rest is as a person's shell has it.
        command.env_clear().args(arguments).current_dir(self.path()).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Run { command }
    }
}

/// A command about to run.
pub(crate) struct Run {
    pub(crate) command: Command,
}

/// What a command printed.
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Printed {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(mut self, code: i32) -> Printed {
        let output = self.command.output().unwrap();
        let printed = Printed {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let Printed { stdout, stderr } = &printed;
        assert_eq!(output.status.code(), Some(code), "{:?}\n{stdout}\n{stderr}", self.command);
        printed
    }
}

impl Printed {
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }
}
