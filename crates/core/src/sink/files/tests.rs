use super::*;

/// A folder of this test's own, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpskein-files-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn set(&self, open_files: usize, file_octets: usize, total_octets: usize) -> FileSet {
        let (folder, extension) = (self.0.clone(), ".txt".to_owned());
        FileSet::new(FileSetOptions { folder, extension, open_files, file_octets, total_octets, overwrite: false })
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn put(set: &mut FileSet, id: u32, text: &str) -> Result<(), FlowError> {
    set.append(id, |buffer| buffer.extend_from_slice(text.as_bytes()))
}

#[test]
fn files_more_than_may_be_open_all_get_their_octets() {
    let folder = Folder::new("many");
    let mut set = folder.set(4, 1, 1 << 20);
    let ids: Vec<_> = (0..20).map(|i| set.begin(format!("f{i}"))).collect();
    let mut expected = vec![String::new(); 20];
    for step in 0..200 {
        let at = step * 7 % 20;
        put(&mut set, ids[at], &format!("{step},")).unwrap();
        expected[at] += &format!("{step},");
        assert!(set.stats().open <= 4);
    }
    assert_eq!(set.stats().most_open, 4);
    for (i, id) in ids.iter().enumerate() {
        let finished = set.finish(*id).unwrap();
        assert_eq!(finished, FinishedFile { suffix: 0, octets: expected[i].len() as u64 });
        assert_eq!(folder.read(&format!("f{i}.txt")), expected[i]);
    }
    let stats = set.stats();
    assert_eq!((stats.created, stats.open, stats.buffered), (20, 0, 0));
    assert_eq!(stats.octets, expected.iter().map(|text| text.len() as u64).sum::<u64>());
    // 200 writes, of which 20 made a file; every other one found its file closed, since 20 files take turns.
    assert_eq!((stats.reopened, stats.closed_early), (180, 196));
}

#[test]
fn buffers_beyond_the_total_are_written_oldest_first() {
    let folder = Folder::new("total");
    let mut set = folder.set(10, 1 << 20, 3000);
    let ids: Vec<_> = (0..3).map(|i| set.begin(format!("f{i}"))).collect();
    for id in &ids {
        set.append(*id, |buffer| *buffer = Vec::with_capacity(1000)).unwrap();
        put(&mut set, *id, "waits").unwrap();
    }
    assert!(folder.names().is_empty());
    put(&mut set, ids[0], "again").unwrap();
    set.append(ids[2], |buffer| buffer.reserve_exact(1500)).unwrap();
    assert_eq!(folder.names(), ["f1.txt"]);
    assert!(set.stats().buffered <= 3000);
    assert!(set.stats().most_buffered > 3000);
}

#[test]
fn name_taken_in_this_run_gets_a_number() {
    let folder = Folder::new("taken");
    let mut set = folder.set(10, 1 << 20, 1 << 20);
    let ids: Vec<_> = (0..3).map(|_| set.begin("same".to_owned())).collect();
    for (i, id) in ids.into_iter().enumerate() {
        put(&mut set, id, &i.to_string()).unwrap();
        assert_eq!(set.finish(id).unwrap().suffix, [0, 2, 3][i]);
    }
    assert_eq!(folder.names(), ["same-2.txt", "same-3.txt", "same.txt"]);
    assert_eq!(folder.read("same-3.txt"), "2");
}

#[test]
fn file_from_before_is_replaced_only_where_that_was_asked_for() {
    let folder = Folder::new("before");
    std::fs::write(folder.0.join("a.txt"), "old").unwrap();
    let mut set = folder.set(10, 1 << 20, 1 << 20);
    let id = set.begin("a".to_owned());
    put(&mut set, id, "new").unwrap();
    let error = set.finish(id).unwrap_err();
    assert_eq!(error.code(), "ERR_FILE_EXISTS");
    assert!(error.to_string().contains("a.txt"), "{error}");
    assert_eq!((folder.read("a.txt").as_str(), set.stats().unwritten), ("old", 3));

    let mut set = folder.set(10, 1 << 20, 1 << 20);
    set.options.overwrite = true;
    for text in ["first", "second"] {
        let id = set.begin("a".to_owned());
        put(&mut set, id, text).unwrap();
        set.finish(id).unwrap();
    }
    assert_eq!((folder.read("a.txt").as_str(), folder.read("a-2.txt").as_str()), ("first", "second"));
}

#[test]
fn failure_names_the_file() {
    let folder = Folder::new("fails");
    let mut set = folder.set(10, 1, 1 << 20);
    let id = set.begin("there".to_owned());
    put(&mut set, id, "x").unwrap();
    let lost = set.begin("no/such/folder".to_owned());
    let error = put(&mut set, lost, "xyz").unwrap_err();
    assert_eq!(error.code(), "ERR_OUTPUT_IO");
    assert!(error.to_string().contains("folder.txt: cannot create"), "{error}");
    assert_eq!(set.stats().unwritten, 3);
    assert_eq!(folder.read("there.txt"), "x");
}

/// `/dev/full` takes nothing: what a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_leaves_what_was_written() {
    let folder = Folder::new("full");
    let mut set = folder.set(10, 1, 1 << 20);
    let id = set.begin("a".to_owned());
    put(&mut set, id, "whole ").unwrap();
    set.entries[id as usize].file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let error = put(&mut set, id, "record").unwrap_err();
    assert!(error.to_string().contains("a.txt: cannot write: No space left"), "{error}");
    set.finish(id).unwrap();
    assert_eq!(folder.read("a.txt"), "whole ");
}

#[test]
fn set_that_is_dropped_writes_what_waits() {
    let folder = Folder::new("dropped");
    let mut set = folder.set(10, 1 << 20, 1 << 20);
    let id = set.begin("a".to_owned());
    put(&mut set, id, "waits").unwrap();
    assert!(folder.names().is_empty());
    drop(set);
    assert_eq!(folder.read("a.txt"), "waits");
}
