//! A backup file: the database as it is, and behind it what it must hold, so that nothing can be missing unnoticed.
//!
//! ```text
//! database | \n | manifest, JSON | SHA-256 of the manifest, hex | its length, 16 hex digits | MAINSTAYBACKUP01
//! ```
//!
//! SQLite takes no notice of what lies behind the pages that it knows of, so every program that reads SQLite reads a
//! backup. One that writes to it makes it another file, which the hash tells.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The last octets of every backup.
const MARK: &[u8; 16] = b"MAINSTAYBACKUP01";
/// Octets behind the manifest: its hash, its length, the mark.
const TAIL_BYTES: u64 = 64 + 16 + 16;
/// Longest manifest that is read; one line a table is far below it.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What a backup must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made, in UTC.
    pub made_at: String,
    /// The same in seconds since 1970.
    pub seconds: i64,
    /// Who asked for it.
    pub kind: Kind,
    /// The version that made it.
    pub version: String,
    /// Name of the database file.
    pub database: String,
    /// Length of the database.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Whether it is used with a write-ahead log.
    pub write_ahead: bool,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Rows that point at nothing.
    pub broken_references: u64,
    /// Name of its last migration.
    pub migration: Option<String>,
    /// Name and time of its first migration; the first versions did not note it.
    #[serde(default)]
    pub origin: Option<String>,
}

/// Who asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person or their program.
    Asked,
    /// The settings.
    Scheduled,
}

/// A backup file with what it says of itself. Whether that is true shows [`BackupFile::copy_to`].
#[derive(Debug)]
pub struct BackupFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it must hold.
    pub manifest: Manifest,
}

impl BackupFile {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// That the file cannot be read, is no backup, or not a whole one.
    pub fn open(path: &Path) -> anyhow::Result<BackupFile> {
        let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest = read_manifest(&mut file).with_context(|| path.display().to_string())?;
        Ok(BackupFile { path: path.to_owned(), manifest })
    }

    /// Copies the database out of the backup, and shows that it is the one that was put in.
    ///
    /// # Errors
    /// That something cannot be read or written, or that the database is not as it was.
    pub fn copy_to(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let file = File::open(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        let mut database = file.take(self.manifest.bytes);
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = database.read(&mut buffer).with_context(|| format!("cannot read {}", self.path.display()))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            out.write_all(&buffer[..count]).context("cannot write the copy")?;
        }
        ensure!(hex(&hash.finalize()) == self.manifest.sha256, "{} was changed or damaged", self.path.display());
        Ok(())
    }
}

fn read_manifest(file: &mut File) -> anyhow::Result<Manifest> {
    let no_backup = "this is no backup of Mainstay, or its end is missing";
    let bytes = file.metadata()?.len();
    ensure!(bytes > TAIL_BYTES, no_backup);
    file.seek(SeekFrom::End(-(TAIL_BYTES as i64)))?;
    let mut tail = [0; TAIL_BYTES as usize];
    file.read_exact(&mut tail)?;
    ensure!(tail.ends_with(MARK), no_backup);
    let length = std::str::from_utf8(&tail[64..80]).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    let length = length.filter(|length| *length <= MANIFEST_BYTES_MAX && *length < bytes - TAIL_BYTES);
    let length = length.context("its manifest is damaged")?;
    file.seek(SeekFrom::Start(bytes - TAIL_BYTES - length))?;
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text)?;
    ensure!(hex(&Sha256::digest(&text)).as_bytes() == &tail[..64], "its manifest is damaged");
    let manifest: Manifest = serde_json::from_slice(&text).context("its manifest is of another version")?;
    // One octet lies between the two.
    ensure!(manifest.bytes.checked_add(1 + length + TAIL_BYTES) == Some(bytes), "it is longer or shorter than it was");
    Ok(manifest)
}

/// Hashes the database that `file` holds, and puts the manifest behind it.
///
/// # Errors
/// That the file cannot be read or written.
pub(super) fn seal(file: &mut File, fill: impl FnOnce(u64, String) -> Manifest) -> anyhow::Result<Manifest> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        bytes += count as u64;
        hash.update(&buffer[..count]);
    }
    let manifest = fill(bytes, hex(&hash.finalize()));
    let text = serde_json::to_vec(&manifest)?;
    let mut end = vec![b'\n'];
    end.extend_from_slice(&text);
    end.extend_from_slice(hex(&Sha256::digest(&text)).as_bytes());
    end.extend_from_slice(format!("{:016x}", text.len()).as_bytes());
    end.extend_from_slice(MARK);
    file.write_all(&end)?;
    file.sync_all()?;
    Ok(manifest)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_octet_of_a_backup_can_change_unnoticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "the database").unwrap();
        let mut file = File::options().read(true).write(true).open(&path).unwrap();
        let sealed = seal(&mut file, |bytes, sha256| Manifest {
            made_at: "2026-11-26T12:00:00Z".into(),
            seconds: 1_795_694_400,
            kind: Kind::Asked,
            version: "1".into(),
            database: "main.db".into(),
            bytes,
            sha256,
            write_ahead: true,
            rows: BTreeMap::from([("t".to_owned(), 3)]),
            broken_references: 0,
            migration: None,
            origin: None,
        })
        .unwrap();
        let taken = |path: &Path| {
            let mut out = Vec::new();
            BackupFile::open(path).and_then(|backup| backup.copy_to(&mut out)).map(|()| out)
        };
        assert_eq!(taken(&path).unwrap(), b"the database");
        assert_eq!(BackupFile::open(&path).unwrap().manifest, sealed);

        let whole = std::fs::read(&path).unwrap();
        let other = folder.path().join("b.db");
        for at in 0..whole.len() {
            let mut octets = whole.clone();
            octets[at] ^= 1;
            std::fs::write(&other, &octets).unwrap();
            // The octet between the two parts says nothing.
            assert_eq!(taken(&other).is_ok(), at == "the database".len(), "octet {at}");
            std::fs::write(&other, &whole[..at]).unwrap();
            assert!(taken(&other).is_err(), "cut at {at}");
        }
        std::fs::write(&other, [whole.as_slice(), b"x"].concat()).unwrap();
        assert!(taken(&other).is_err());
    }
}
