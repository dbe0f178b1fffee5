//! Files against the packets that went in, read back by the core.

use std::path::Path;

use tcpskein_core::capture::{BlockReader, DecodingInput, FileInput, Filled, LinkType, MIN_BLOCK_LEN, Next};

use super::*;
use crate::input::tests::{Does, Fake, Known, packet};

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpskein-record-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn read(path: &Path) -> Vec<Known> {
    let mut input = DecodingInput::open(Box::new(FileInput::open(path).unwrap()));
    let (mut reader, mut block, mut found) = (BlockReader::default(), vec![0; MIN_BLOCK_LEN], Vec::new());
    while let Filled::Bytes(_) = reader.fill(&mut block, &mut input).unwrap() {
        while let Next::Packet(p) = reader.next(&block).unwrap() {
            found.push(Known { ts_ns: p.ts_ns, link: p.link, wire_len: p.wire_len, octets: p.bytes(&block).to_vec() });
        }
        reader.release(&block);
    }
    reader.finish().unwrap();
    found
}

fn record(folder: &Folder, name: &str, options: RecordOptions, live: &LiveOptions) -> (Vec<Known>, RecordTotals) {
    let known: Vec<Known> = (1..200).map(packet).collect();
    let mut fake = Fake::new(known.iter().map(|p| Does::Packet(3, p.clone())));
    let options = RecordOptions { path: folder.0.join(name), ..options };
    let mut writer = Writer::open(options, live, &fake).unwrap();
    while fake.advance().unwrap() {
        writer.write(&fake.packet(), &fake).unwrap();
    }
    writer.finish(Losses::default()).unwrap();
    (known, writer.totals())
}

fn plain(format: FileFormat) -> RecordOptions {
    RecordOptions { path: PathBuf::new(), format, zstd: false, rotate_bytes: None, rotate_time: None, max_files: None }
}

#[test]
fn one_file_reads_back_in_each_format() {
    let folder = Folder::new("one");
    let live = LiveOptions::new("fake");
    for (name, format, zstd) in [
        ("a.pcap", FileFormat::Pcap, false),
        ("b.pcapng", FileFormat::Pcapng, false),
        ("c.pcapng.zst", FileFormat::Pcapng, cfg!(feature = "zstd")),
    ] {
        let (known, totals) = record(&folder, name, RecordOptions { zstd, ..plain(format) }, &live);
        assert_eq!(read(&folder.0.join(name)), known, "{name}");
        assert_eq!((totals.files, totals.packets), (1, 199));
        let len = std::fs::metadata(folder.0.join(name)).unwrap().len();
        assert!(if zstd { len < totals.file_bytes } else { len == totals.file_bytes }, "{name}: {len} {totals:?}");
    }
}

#[test]
fn microseconds_are_what_is_left_of_a_time() {
    let folder = Folder::new("micro");
    let live = LiveOptions { nanoseconds: false, ..LiveOptions::new("fake") };
    for (name, format) in [("a.pcap", FileFormat::Pcap), ("b.pcapng", FileFormat::Pcapng)] {
        let (known, _) = record(&folder, name, plain(format), &live);
        let times: Vec<i64> = known.iter().map(|p| p.ts_ns / 1000 * 1000).collect();
        assert_eq!(read(&folder.0.join(name)).iter().map(|p| p.ts_ns).collect::<Vec<_>>(), times);
    }
}

#[test]
fn rotation_by_size_keeps_files_below_it_and_every_packet() {
    let folder = Folder::new("size");
    let options = RecordOptions { rotate_bytes: Some(10_000), ..plain(FileFormat::Pcapng) };
    let (known, totals) = record(&folder, "t.pcapng", options, &LiveOptions::new("fake"));
    let files = folder.files();
    assert_eq!(files.len() as u64, totals.files);
    assert!(files.len() > 10 && files[0].ends_with("t-00001.pcapng"));
    for file in &files {
        // The last one has statistics, too.
        assert!(std::fs::metadata(file).unwrap().len() <= 10_100, "{}", file.display());
    }
    assert_eq!(files.iter().flat_map(|file| read(file)).collect::<Vec<_>>(), known);
}

#[test]
fn rotation_by_time_and_a_limit_keep_the_latest_files() {
    for most in [1, 3] {
        let folder = Folder::new(&format!("time{most}"));
        let options = RecordOptions {
            rotate_time: Some(Duration::from_millis(50)),
            max_files: Some(most),
            ..plain(FileFormat::Pcap)
        };
        let (known, totals) = record(&folder, "t.pcap", options, &LiveOptions::new("fake"));
        let files = folder.files();
        assert_eq!((files.len(), totals.files), (most as usize, 5));
        let kept: Vec<Known> = files.iter().flat_map(|file| read(file)).collect();
        assert_eq!(kept, known[known.len() - kept.len()..]);
        for file in &files {
            let packets = read(file);
            assert!(packets[packets.len() - 1].ts_ns - packets[0].ts_ns < 50_000_000);
        }
    }
}

#[test]
fn file_that_can_not_be_made_is_named() {
    let options = RecordOptions { path: PathBuf::from("/does/not/exist/t.pcap"), ..plain(FileFormat::Pcap) };
    let error = Writer::open(options, &LiveOptions::new("fake"), &Fake::new([])).err().unwrap();
    assert_eq!(error.code(), "ERR_OUTPUT_IO");
    assert!(error.to_string().starts_with("/does/not/exist/t.pcap: cannot write the file: "), "{error}");
}

#[test]
fn pcap_of_several_link_types_is_refused() {
    let mut fake = Fake::new([]);
    fake.only = None;
    let error = Writer::open(plain(FileFormat::Pcap), &LiveOptions::new("any"), &fake).err().unwrap();
    assert_eq!(error.code(), "ERR_LIVE_UNSUPPORTED");
    fake.only = Some((0, LinkType::LINUX_SLL2));
}
