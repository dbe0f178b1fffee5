//! A regular file as an input that gives windows instead of filling blocks: nothing is copied until a consumer wants it.

use tcpskein_map::{CutMark, MappedFile, Window};

use super::FileInput;
use crate::error::FlowError;

/// Octets of a window: so many that making it and letting it go costs nothing beside walking it, and few enough that
/// resident memory stays small (two of them at a time).
const WINDOW_LEN: usize = 8 * 1024 * 1024;

/// A file that is walked window by window.
#[derive(Debug)]
pub struct MappedInput {
    file: MappedFile,
    /// Where the latest window ends in the file.
    position: u64,
    cut: Option<CutMark>,
}

impl MappedInput {
    /// Maps the file of `input`, which must not have been read from.
    ///
    /// # Errors
    /// Where that can't be done here, the input as it was.
    pub fn open(input: FileInput) -> Result<Self, FileInput> {
        let len = input.len();
        match MappedFile::open(input.into_file()) {
            Ok(file) => Ok(Self { file, position: 0, cut: None }),
            Err(file) => Err(FileInput::of_file(file, len)),
        }
    }

    /// Octets of the file up to the end of the latest window.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The file became shorter under the latest window, and what is missing there reads as zeros.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.is_some_and(CutMark::is_cut)
    }

    /// The window that begins at `offset` and holds more than `known` octets; `None` where the file has no more.
    ///
    /// # Errors
    /// [`FlowError::Io`] where the system refuses.
    pub fn window(&mut self, offset: u64, known: usize) -> Result<Option<Window>, FlowError> {
        let window = self.file.window(offset, WINDOW_LEN).map_err(|source| FlowError::Io { op: "map", source })?;
        if window.len() <= known {
            return Ok(None);
        }
        self.position = offset + window.len() as u64;
        self.cut = Some(window.cut_mark());
        Ok(Some(window))
    }
}
