//! The file that bad records are set aside in.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::cells::write_csv_text;
use super::error::TransferError;
use super::format::RecordFormat;
use super::frame::Frames;

/// First line of the file.
const HEADER: &str = "line,reason,record\n";

/// A record that cannot become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    /// Its place among the records of the file, from 0.
    pub(super) record: u64,
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// What is wrong with it.
    pub(super) reason: String,
    /// As it lies in the file.
    pub(super) text: String,
}

/// The file, made when the first bad record comes. Its records are in the order of the imported file and written before
/// the transaction that counts them; whatever an interrupted run wrote beyond that is dropped when the import goes on.
pub(super) struct BadFile {
    path: PathBuf,
    file: Option<File>,
}

impl BadFile {
    /// The file of a new import. One that an earlier import left there goes away.
    pub(super) fn anew(path: PathBuf) -> Result<BadFile, TransferError> {
        if is_ours(&path) {
            fs::remove_file(&path).map_err(TransferError::file(format!("cannot replace {}", path.display())))?;
        }
        Ok(BadFile { path, file: None })
    }

    /// The file of an import that goes on, of which the first `kept` records count.
    pub(super) fn resumed(path: PathBuf, kept: u64) -> Result<BadFile, TransferError> {
        if kept == 0 || !is_ours(&path) {
            return BadFile::anew(path);
        }
        let cannot = || TransferError::file(format!("cannot go on with {}", path.display()));
        let length = length_of(&path, kept).map_err(cannot())?;
        let mut file = OpenOptions::new().write(true).open(&path).map_err(cannot())?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(cannot())?;
        Ok(BadFile { path, file: Some(file) })
    }

    /// Where it lies, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.is_some().then_some(&*self.path)
    }

    /// Appends records, to last. Gives the length of the file before, for [`BadFile::take_back`].
    pub(super) fn append(&mut self, records: &[Bad]) -> Result<u64, TransferError> {
        let cannot = || {
            TransferError::file(format!(
                "cannot set bad records aside in {} (name another with --bad)",
                self.path.display()
            ))
        };
        if records.is_empty() {
            return Ok(0);
        }
        let mut text = Vec::new();
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                text.extend_from_slice(HEADER.as_bytes());
                let options = OpenOptions::new().write(true).create_new(true).open(&self.path);
                let file = options.map_err(cannot())?;
                self.file.insert(file)
            }
        };
        for bad in records {
            write!(text, "{},", bad.line)
                .and_then(|()| write_csv_text(&mut text, &bad.reason))
                .and_then(|()| text.write_all(b","))
                .and_then(|()| write_csv_text(&mut text, &bad.text))
                .and_then(|()| text.write_all(b"\n"))
                .expect("memory takes everything");
        }
        let cannot = TransferError::file(format!("cannot write {}", self.path.display()));
        let length = file.stream_position();
        length.and_then(|length| file.write_all(&text).and_then(|()| file.sync_data()).map(|()| length)).map_err(cannot)
    }

    /// Undoes an [`BadFile::append`] whose transaction did not happen.
    pub(super) fn take_back(&mut self, length: u64) -> Result<(), TransferError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let cannot = TransferError::file(format!("cannot write {}", self.path.display()));
        let length = length.max(HEADER.len() as u64);
        file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map(|_| ()).map_err(cannot)
    }
}

/// Whether there is a file that an import wrote.
fn is_ours(path: &Path) -> bool {
    let mut start = vec![0; HEADER.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == HEADER.as_bytes()
}

/// Bytes that the header and the first `records` records take.
fn length_of(path: &Path, records: u64) -> std::io::Result<u64> {
    // Records end in `\n` alone and the records inside are as they were, so lengths add up exactly.
    let mut frames = Frames::new(Box::new(BufReader::new(File::open(path)?)), RecordFormat::Csv);
    let mut length = 0;
    for _ in 0..=records {
        match frames.next()? {
            Some(frame) => length += frame.bytes.len() as u64 + 1,
            None => break,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(line: u64, text: &str) -> Bad {
        Bad { record: line, line, reason: "no, \"never\"".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn only_the_records_that_count_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv.bad.csv");
        let mut file = BadFile::anew(path.clone()).unwrap();
        assert_eq!(file.path(), None);
        file.append(&[bad(2, "x,\"y\nz\""), bad(5, "")]).unwrap();
        let two = fs::read_to_string(&path).unwrap();
        let before = file.append(&[bad(7, "gone")]).unwrap();
        file.take_back(before).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), two);
        file.append(&[bad(9, "also gone")]).unwrap();
        drop(file);
        let mut file = BadFile::resumed(path.clone(), 2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), two);
        file.append(&[bad(9, "back")]).unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("9,\"no, \"\"never\"\"\",back\n"));
    }

    #[test]
    fn a_file_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious.csv");
        fs::write(&path, "mine").unwrap();
        let mut file = BadFile::anew(path.clone()).unwrap();
        assert!(file.append(&[bad(1, "x")]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
