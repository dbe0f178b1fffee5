//! A bounded set of files that are written a little at a time.
//!
//! Octets wait in a buffer of their file's own. A buffer that is full is written; of all buffers together the ones that
//! waited longest are. At most so many files are open: the one written least recently is closed, and appended to later.
//! A file is made with its first write, under a name that isn't taken: nothing is overwritten unless that was asked for.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Recency;
use crate::error::FlowError;

/// Where files go, and how much may be held.
#[derive(Clone, Debug)]
pub struct FileSetOptions {
    /// The folder, which is there already.
    pub folder: PathBuf,
    /// What every name ends with, with its dot.
    pub extension: String,
    /// Most files open at a time, at least 1.
    pub open_files: usize,
    /// Octets that may wait for one file.
    pub file_octets: usize,
    /// Octets of memory for the buffers of all files.
    pub total_octets: usize,
    /// Files that were there before may be replaced.
    pub overwrite: bool,
}

/// What a set has done, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSetStats {
    /// Files made.
    pub created: u64,
    /// Octets written to them.
    pub octets: u64,
    /// Files open now, and most at a time.
    pub open: u64,
    /// Most files open at a time.
    pub most_open: u64,
    /// Files closed because too many were open.
    pub closed_early: u64,
    /// Files opened again to append to them.
    pub reopened: u64,
    /// Octets of buffers now.
    pub buffered: u64,
    /// Most octets of buffers at a time, seen after each addition.
    pub most_buffered: u64,
    /// Octets that could not be written.
    pub unwritten: u64,
}

/// What a file came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinishedFile {
    /// The name got this number behind its stem (`-2`, …) because it was taken; 0 where it wasn't.
    pub suffix: u32,
    /// Its length in octets.
    pub octets: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// The name without suffix and extension.
    stem: Box<str>,
    suffix: u32,
    buffer: Vec<u8>,
    file: Option<File>,
    /// It is on the disk, with so many octets.
    created: bool,
    octets: u64,
}

/// The set. Files are known by numbers, which are used again.
#[derive(Debug)]
pub struct FileSet {
    options: FileSetOptions,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Files that are open, by their latest write.
    open: Recency,
    /// Files with a buffer, by their latest addition.
    waiting: Recency,
    /// Octets of all buffers.
    held: usize,
    /// Names of files that were in the folder before; known from the first write on.
    before: Option<HashSet<String>>,
    stats: FileSetStats,
}

impl FileSet {
    /// An empty set; nothing is looked at or written yet.
    #[must_use]
    pub fn new(options: FileSetOptions) -> Self {
        Self {
            options,
            entries: Vec::new(),
            free: Vec::new(),
            open: Recency::default(),
            waiting: Recency::default(),
            held: 0,
            before: None,
            stats: FileSetStats::default(),
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> FileSetStats {
        FileSetStats { open: self.open.len() as u64, buffered: self.held as u64, ..self.stats }
    }

    /// A new file with the name `stem`, which must hold nothing that leads out of the folder.
    pub fn begin(&mut self, stem: String) -> u32 {
        let entry = Entry { stem: stem.into(), ..Entry::default() };
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = entry;
            return id;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }

    /// Adds what `write` puts at a buffer's end, and writes what must not wait any longer. Whatever `write` adds goes
    /// to the disk in one piece.
    ///
    /// # Errors
    /// [`FlowError::Output`] and [`FlowError::FileExists`]. A file that could not be written keeps what it had before.
    pub fn append(&mut self, id: u32, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), FlowError> {
        let buffer = &mut self.entries[id as usize].buffer;
        let before = buffer.capacity();
        write(buffer);
        let (after, is_full) = (buffer.capacity(), buffer.len() >= self.options.file_octets);
        self.held = self.held - before + after;
        self.stats.most_buffered = self.stats.most_buffered.max(self.held as u64);
        self.waiting.touch(id);
        if is_full {
            self.flush(id)?;
        }
        while self.held > self.options.total_octets
            && let Some(oldest) = self.waiting.oldest()
        {
            self.flush(oldest)?;
            self.drop_buffer(oldest);
        }
        Ok(())
    }

    /// Writes what waits for the file and lets go of it; its number may be given away then.
    ///
    /// # Errors
    /// As [`FileSet::append`].
    pub fn finish(&mut self, id: u32) -> Result<FinishedFile, FlowError> {
        let flushed = self.flush(id);
        self.drop_buffer(id);
        self.open.remove(id);
        self.free.push(id);
        let Entry { suffix, octets, .. } = std::mem::take(&mut self.entries[id as usize]);
        flushed.map(|()| FinishedFile { suffix, octets })
    }

    /// Gives up what waits for files, and counts it.
    pub fn discard(&mut self) {
        while let Some(id) = self.waiting.oldest() {
            self.stats.unwritten += self.entries[id as usize].buffer.len() as u64;
            self.drop_buffer(id);
        }
    }

    /// Writes what waits for a file.
    fn flush(&mut self, id: u32) -> Result<(), FlowError> {
        let at = id as usize;
        if self.entries[at].buffer.is_empty() {
            return Ok(());
        }
        let written = self.open_file(id).and_then(|()| self.write(id));
        let octets = self.entries[at].buffer.len() as u64;
        self.entries[at].buffer.clear();
        let counter = if written.is_ok() { &mut self.stats.octets } else { &mut self.stats.unwritten };
        *counter += octets;
        written
    }

    /// Writes the buffer. What a failed write left in the file is cut off, so that what stood there stays readable.
    fn write(&mut self, id: u32) -> Result<(), FlowError> {
        let Entry { file: Some(file), buffer, octets, .. } = &mut self.entries[id as usize] else { return Ok(()) };
        let Err(error) = file.write_all(buffer) else {
            *octets += buffer.len() as u64;
            return Ok(());
        };
        let before = *octets;
        // Where this fails too there is nothing left to try, and the first error says more.
        let _ = file.set_len(before);
        let path = self.path(&self.entries[id as usize]);
        if before == 0 {
            let _ = std::fs::remove_file(&path);
        }
        Err(output(&path, "write", error))
    }

    fn drop_buffer(&mut self, id: u32) {
        let buffer = std::mem::take(&mut self.entries[id as usize].buffer);
        self.held -= buffer.capacity();
        self.waiting.remove(id);
    }

    /// Sees to it that the file is open, and that not too many are.
    fn open_file(&mut self, id: u32) -> Result<(), FlowError> {
        if self.entries[id as usize].file.is_none() {
            while self.open.len() >= self.options.open_files.max(1) {
                self.close_oldest();
            }
            let file = self.open_or_create(id)?;
            self.entries[id as usize].file = Some(file);
        }
        self.open.touch(id);
        self.stats.most_open = self.stats.most_open.max(self.open.len() as u64);
        Ok(())
    }

    fn close_oldest(&mut self) {
        if let Some(oldest) = self.open.oldest() {
            self.open.remove(oldest);
            self.entries[oldest as usize].file = None;
            self.stats.closed_early += 1;
        }
    }

    fn open_or_create(&mut self, id: u32) -> Result<File, FlowError> {
        if !self.entries[id as usize].created {
            return self.create(id);
        }
        let path = self.path(&self.entries[id as usize]);
        self.stats.reopened += 1;
        self.with_room(&path, |path| OpenOptions::new().append(true).open(path)).map_err(|e| output(&path, "open", e))
    }

    /// Makes the file under the first name that isn't taken.
    fn create(&mut self, id: u32) -> Result<File, FlowError> {
        if self.before.is_none() {
            self.before = Some(self.names_before()?);
        }
        loop {
            let path = self.path(&self.entries[id as usize]);
            match self.with_room(&path, |path| OpenOptions::new().write(true).create_new(true).open(path)) {
                Ok(file) => {
                    self.entries[id as usize].created = true;
                    self.stats.created += 1;
                    return Ok(file);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.make_way(id, &path)?,
                Err(error) => return Err(output(&path, "create", error)),
            }
        }
    }

    /// The name is taken: by a file of this run, so that another name must do, or by one that was there before.
    fn make_way(&mut self, id: u32, path: &Path) -> Result<(), FlowError> {
        let name = self.name(&self.entries[id as usize]);
        let was_before = self.before.as_mut().is_some_and(|names| names.remove(&name));
        if !was_before {
            let suffix = &mut self.entries[id as usize].suffix;
            *suffix = (*suffix).max(1) + 1;
            return Ok(());
        }
        if !self.options.overwrite {
            return Err(FlowError::FileExists { path: path.display().to_string() });
        }
        std::fs::remove_file(path).map_err(|error| output(path, "replace", error))
    }

    fn names_before(&self) -> Result<HashSet<String>, FlowError> {
        let folder = &self.options.folder;
        let entries = std::fs::read_dir(folder).map_err(|error| output(folder, "read", error))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter(|name| name.ends_with(&self.options.extension)).collect())
    }

    /// Opens; where the system allows no more open files, first closes one of ours, and keeps fewer open from then on.
    fn with_room(&mut self, path: &Path, open: impl Fn(&Path) -> io::Result<File>) -> io::Result<File> {
        loop {
            match open(path) {
                Err(error) if is_too_many_open(&error) && !self.open.is_empty() => {
                    self.options.open_files = self.open.len();
                    self.close_oldest();
                }
                answer => return answer,
            }
        }
    }

    fn name(&self, entry: &Entry) -> String {
        let (stem, extension) = (&entry.stem, &self.options.extension);
        if entry.suffix == 0 { format!("{stem}{extension}") } else { format!("{stem}-{}{extension}", entry.suffix) }
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.options.folder.join(self.name(entry))
    }
}

/// A run that was given up: what waits is written as far as it can be.
impl Drop for FileSet {
    fn drop(&mut self) {
        while let Some(id) = self.waiting.oldest() {
            if self.flush(id).is_err() {
                return;
            }
            self.drop_buffer(id);
        }
    }
}

fn output(path: &Path, op: &'static str, source: io::Error) -> FlowError {
    FlowError::Output { path: path.display().to_string(), op, source }
}

/// EMFILE and ENFILE; ERROR_TOO_MANY_OPEN_FILES.
fn is_too_many_open(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[4] } else { &[24, 23] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests;
