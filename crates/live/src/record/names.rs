//! Names of a recording's files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file's number before its extensions: `trace.pcap.zst`, the 12th → `trace-00012.pcap.zst`.
pub(super) fn numbered(path: &Path, number: u64) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // A dot at the start hides a file and begins no extension.
    let dot = name.char_indices().skip(1).find(|(_, c)| *c == '.').map(|(at, _)| at);
    let known = [".pcap", ".pcapng", ".cap", ".zst"];
    let start = known.iter().filter_map(|extension| name.find(extension)).filter(|at| *at > 0).min();
    let at = start.or(dot).unwrap_or(name.len());
    let mut out = OsString::from(&name[..at]);
    out.push(format!("-{number:05}"));
    out.push(&name[at..]);
    path.with_file_name(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_stands_before_the_extensions() {
        let cases = [
            ("trace.pcap", "trace-00012.pcap"),
            ("/a.b/x.y.pcapng.zst", "/a.b/x.y-00012.pcapng.zst"),
            ("plain", "plain-00012"),
            (".hidden", ".hidden-00012"),
            ("data.raw", "data-00012.raw"),
        ];
        for (path, wanted) in cases {
            assert_eq!(numbered(Path::new(path), 12), PathBuf::from(wanted));
        }
        assert_eq!(numbered(Path::new("a.pcap"), 123_456), PathBuf::from("a-123456.pcap"));
    }
}
