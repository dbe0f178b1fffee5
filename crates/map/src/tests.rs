#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;

use super::MappedFile;

struct Temp(PathBuf);

impl Temp {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("tcpskein-map-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn map(&self) -> MappedFile {
        MappedFile::open(File::open(&self.0).unwrap()).unwrap()
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn octets(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn window_at_any_offset_holds_the_files_octets() {
    let bytes = octets(100_000);
    let file = Temp::new("offsets", &bytes);
    let mapped = file.map();
    for offset in [0, 1, 4095, 4096, 4097, 65_537, 99_999] {
        for most in [1, 4096, 10_000, 1 << 20] {
            let window = mapped.window(offset as u64, most).unwrap();
            assert_eq!(&*window, &bytes[offset..bytes.len().min(offset + most)], "offset {offset}, most {most}");
            assert!(!window.is_cut());
        }
    }
}

#[test]
fn window_at_the_end_is_empty_until_the_file_grows() {
    let file = Temp::new("growing", &octets(10));
    let mapped = file.map();
    assert!(mapped.window(10, 100).unwrap().is_empty());
    assert!(mapped.window(1 << 40, 100).unwrap().is_empty());
    fs::write(&file.0, octets(15)).unwrap();
    assert_eq!(&*mapped.window(10, 100).unwrap(), &octets(15)[10..]);
}

#[test]
fn file_that_becomes_shorter_reads_as_zeros_and_says_so() {
    let file = Temp::new("shorter", &octets(1 << 20));
    let mapped = file.map();
    let window = mapped.window(5, 1 << 20).unwrap();
    let other = mapped.window(0, 4096).unwrap();
    OpenOptions::new().write(true).open(&file.0).unwrap().set_len(8192).unwrap();
    assert_eq!(window[8000], octets(8006)[8005]);
    assert!(window[8192..].iter().all(|&octet| octet == 0));
    assert!(window.is_cut());
    assert_eq!(other[..], octets(4096)[..]);
    assert!(!other.is_cut());
    // A window that takes the place of one that was cut begins anew.
    drop(window);
    assert!(!mapped.window(0, 4096).unwrap().is_cut());
}

#[test]
fn what_is_no_regular_file_is_not_mapped() {
    assert!(MappedFile::open(File::open("/dev/null").unwrap()).is_err());
}

#[test]
fn windows_beyond_the_limit_are_refused() {
    let file = Temp::new("many", &octets(4096));
    let mapped = file.map();
    let windows: Vec<_> = (0..400).map_while(|_| mapped.window(0, 4096).ok()).collect();
    assert!(windows.len() <= 256 && windows.len() > 100, "{}", windows.len());
    drop(windows);
    assert_eq!(mapped.window(0, 4096).unwrap().len(), 4096);
}
