//! Bytes to records: where one record ends and the next begins, and on which line. What is in a record is not its
//! business.

use std::io::{self, BufRead, ErrorKind};

use super::format::RecordFormat;

/// Longest record that is taken. A quote that is never closed would else draw the rest of the file into memory.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The records of a file, one after the other.
pub(super) struct Frames {
    input: Box<dyn BufRead + Send>,
    format: RecordFormat,
    /// Lines that were passed so far.
    lines: u64,
    record: Vec<u8>,
    array: ArrayState,
    /// Whether a line without anything is a record: in a CSV file of one column it is a null.
    blank_counts: bool,
}

#[derive(PartialEq)]
enum ArrayState {
    Before,
    Inside,
    After,
}

/// One record as it lies in the file, without the line break after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
}

impl Frames {
    pub(super) fn new(input: Box<dyn BufRead + Send>, format: RecordFormat) -> Frames {
        Frames { input, format, lines: 0, record: Vec::new(), array: ArrayState::Before, blank_counts: false }
    }

    /// Takes empty lines as records from now on.
    pub(super) fn count_blank_lines(&mut self) {
        self.blank_counts = true;
    }

    /// The next record, `None` at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read, a record is longer than [`RECORD_BYTES_MAX`], or the whole is no JSON array.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        let line = match self.format {
            RecordFormat::Csv => self.next_csv()?,
            RecordFormat::Ndjson | RecordFormat::ExtendedJson => self.next_line()?,
            RecordFormat::Json => self.next_element()?,
        };
        Ok(line.map(|line| Frame { line, bytes: &self.record }))
    }

    fn next_csv(&mut self) -> io::Result<Option<u64>> {
        loop {
            self.record.clear();
            let first = self.lines + 1;
            let mut state = CsvState::FieldStart;
            loop {
                let from = self.record.len();
                let count = self.read_line()?;
                if count == 0 {
                    if from == 0 {
                        return Ok(None);
                    }
                    // The file ends inside quotes: the record is given as it is, and found malformed by whoever splits it.
                    break;
                }
                state = state.after(&self.record[from..]);
                if state != CsvState::Quoted {
                    break;
                }
            }
            trim_line_break(&mut self.record);
            if !self.record.is_empty() || self.blank_counts {
                return Ok(Some(first));
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<u64>> {
        loop {
            self.record.clear();
            if self.read_line()? == 0 {
                return Ok(None);
            }
            trim_line_break(&mut self.record);
            if !self.record.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(self.lines));
            }
        }
    }

    /// Appends a line with its break to the record.
    fn read_line(&mut self) -> io::Result<usize> {
        let from = self.record.len();
        let room = (RECORD_BYTES_MAX + 1).saturating_sub(from) as u64;
        let count = io::Read::take(&mut self.input, room).read_until(b'\n', &mut self.record)?;
        if self.record.len() > RECORD_BYTES_MAX {
            return Err(self.too_long());
        }
        if count > 0 {
            self.lines += 1;
        }
        if self.lines == 1 && self.record.starts_with(b"\xEF\xBB\xBF") {
            self.record.drain(..3);
        }
        Ok(count)
    }

    fn too_long(&self) -> io::Error {
        let problem = format!(
            "the record that ends after line {} is longer than {RECORD_BYTES_MAX} bytes; is a quote or a bracket not closed?",
            self.lines
        );
        io::Error::new(ErrorKind::InvalidData, problem)
    }

    fn next_element(&mut self) -> io::Result<Option<u64>> {
        if self.array == ArrayState::Before {
            self.lines = 1;
            if self.peek()? == Some(0xEF) {
                self.input.consume(3);
            }
            match self.peek_text()? {
                Some(b'[') => self.input.consume(1),
                _ => return Err(self.malformed("the file does not begin with [")),
            }
            self.array = ArrayState::Inside;
            if self.peek_text()? == Some(b']') {
                return self.end_of_array();
            }
        }
        if self.array == ArrayState::After {
            return Ok(None);
        }
        self.peek_text()?;
        let first = self.lines;
        self.record.clear();
        match self.read_element()? {
            Some(b']') => {
                self.array = ArrayState::After;
                self.after_array()?;
            }
            Some(_) => {}
            None => return Err(self.malformed("the file ends inside the array")),
        }
        while self.record.last().is_some_and(u8::is_ascii_whitespace) {
            self.record.pop();
        }
        Ok(Some(first))
    }

    /// Appends everything up to the comma or bracket that ends the element, takes that, and gives it.
    fn read_element(&mut self) -> io::Result<Option<u8>> {
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let mut end = None;
            let mut taken = 0;
            for byte in chunk {
                if !in_string && depth == 0 && matches!(byte, b',' | b']') {
                    end = Some(*byte);
                    break;
                }
                taken += 1;
                match byte {
                    b'\n' => self.lines += 1,
                    _ if escaped => escaped = false,
                    b'\\' if in_string => escaped = true,
                    b'"' => in_string = !in_string,
                    b'{' | b'[' if !in_string => depth += 1,
                    b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.record.extend_from_slice(&chunk[..taken]);
            self.input.consume(taken + usize::from(end.is_some()));
            if self.record.len() > RECORD_BYTES_MAX {
                return Err(self.too_long());
            }
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    fn end_of_array(&mut self) -> io::Result<Option<u64>> {
        self.input.consume(1);
        self.array = ArrayState::After;
        self.after_array()?;
        Ok(None)
    }

    fn after_array(&mut self) -> io::Result<()> {
        match self.peek_text()? {
            None => Ok(()),
            Some(_) => Err(self.malformed("there is text after the end of the array")),
        }
    }

    fn malformed(&self, problem: &str) -> io::Error {
        let remedy = "a json file holds one array of objects; for one object a line use ndjson";
        io::Error::new(ErrorKind::InvalidData, format!("line {}: {problem}; {remedy}", self.lines))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// The next byte that is no blank; the blanks before it are taken.
    fn peek_text(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => {
                    self.lines += u64::from(byte == b'\n');
                    self.input.consume(1);
                }
                other => return Ok(other),
            }
        }
    }
}

fn trim_line_break(record: &mut Vec<u8>) {
    if record.last() == Some(&b'\n') {
        record.pop();
        if record.last() == Some(&b'\r') {
            record.pop();
        }
    }
}

/// Where in a CSV record a byte stands. A quote opens a field only as its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CsvState {
    FieldStart,
    Bare,
    Quoted,
    /// After a quote inside quotes: the end of the field, or the first half of a doubled quote.
    Closing,
}

impl CsvState {
    fn after(self, bytes: &[u8]) -> CsvState {
        if self != CsvState::Quoted && !bytes.contains(&b'"') {
            return CsvState::Bare;
        }
        bytes.iter().fold(self, |state, byte| match (state, byte) {
            (CsvState::Quoted, b'"') => CsvState::Closing,
            (CsvState::Quoted, _) | (CsvState::FieldStart | CsvState::Closing, b'"') => CsvState::Quoted,
            (_, b',') => CsvState::FieldStart,
            (_, _) => CsvState::Bare,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn frames(format: RecordFormat, text: &str) -> Result<Vec<(u64, String)>, String> {
        let mut frames = Frames::new(Box::new(Cursor::new(text.to_owned().into_bytes())), format);
        let mut out = Vec::new();
        while let Some(frame) = frames.next().map_err(|error| error.to_string())? {
            out.push((frame.line, String::from_utf8(frame.bytes.to_vec()).unwrap()));
        }
        Ok(out)
    }

    fn check(format: RecordFormat, text: &str, expected: &[(u64, &str)]) {
        let expected = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(frames(format, text), Ok(expected), "{text:?}");
    }

    #[test]
    fn a_csv_record_ends_at_a_line_break_outside_quotes() {
        let csv = RecordFormat::Csv;
        check(csv, "a,b\n1,2\r\n3,4", &[(1, "a,b"), (2, "1,2"), (3, "3,4")]);
        check(csv, "\u{feff}a\n\n1\n", &[(1, "a"), (3, "1")]);
        check(csv, "\"x\ny\",1\n2,3\n", &[(1, "\"x\ny\",1"), (3, "2,3")]);
        check(csv, "\"say \"\"hi\n\"\"\"\nz\n", &[(1, "\"say \"\"hi\n\"\"\""), (4 - 1, "z")]);
        // A quote inside a field without quotes is a character like any other.
        check(csv, "5\" pipe,1\n2,3\n", &[(1, "5\" pipe,1"), (2, "2,3")]);
        check(csv, "1,\"never closed\n2,3\n", &[(1, "1,\"never closed\n2,3")]);
        check(csv, "", &[]);
    }

    #[test]
    fn blank_lines_are_records_only_when_asked() {
        let mut frames = Frames::new(Box::new(Cursor::new("a\n\nb\n")), RecordFormat::Csv);
        frames.count_blank_lines();
        let mut lines = 0;
        while frames.next().unwrap().is_some() {
            lines += 1;
        }
        assert_eq!(lines, 3);
    }

    #[test]
    fn ndjson_has_a_record_a_line() {
        check(RecordFormat::Ndjson, "{\"a\":1}\n  \n{\"b\":2}\r\n", &[(1, "{\"a\":1}"), (3, "{\"b\":2}")]);
    }

    #[test]
    fn the_elements_of_a_json_array_are_records() {
        let json = RecordFormat::Json;
        check(json, " [ ] \n", &[]);
        check(json, "[{\"a\":[1,2]},\n {\"b\":\"],\\\"\"}\n]\n", &[(1, "{\"a\":[1,2]}"), (2, "{\"b\":\"],\\\"\"}")]);
        check(json, "[1, nonsense ,2]", &[(1, "1"), (1, "nonsense"), (1, "2")]);
        for wrong in ["", "{\"a\":1}", "[1,2", "[1] 2", "[{\"a\":1]"] {
            assert!(frames(json, wrong).is_err(), "{wrong}");
        }
    }
}
