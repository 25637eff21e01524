//! The file beneath an import: its bytes, counted as they are read, decompressed, and its fingerprint.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::error::TransferError;
use super::format::FileForm;

/// Bytes that are read and decompressed at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Opens a file for reading records. `read` grows by the bytes taken from the disk, compressed as they are there.
pub(super) fn open(
    path: &Path,
    form: FileForm,
    read: Arc<AtomicU64>,
) -> Result<Box<dyn BufRead + Send>, TransferError> {
    let file = File::open(path).map_err(TransferError::file(format!("cannot open {}", path.display())))?;
    let counted = BufReader::with_capacity(BUFFER_BYTES, Counted { file, read });
    Ok(match form.gzip {
        // Files made by several gzip runs, one after the other, are one stream.
        true => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(counted))),
        false => Box::new(counted),
    })
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What makes two imports the same import: the whole content of the file, the table, and how fields become columns.
/// Name and place of the file do not count, so that a file that was moved goes on, and one that was edited starts anew.
pub(super) fn fingerprint(path: &Path, parts: &[&str]) -> Result<String, TransferError> {
    let cannot_read = || TransferError::file(format!("cannot read {}", path.display()));
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut file = File::open(path).map_err(cannot_read())?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer).map_err(cannot_read())?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    // 128 bits tell files apart; the rest would only make the row longer.
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
