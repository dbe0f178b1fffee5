//! Any octets as a TCP option list: no panic, no endless walk, and every item lies inside the list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpskein_core::decode::options::{SackBlocks, SynOptions, TcpOptions};

fuzz_target!(|bytes: &[u8]| {
    let mut options = TcpOptions::new(bytes);
    let mut end = 0;
    for option in options.by_ref() {
        assert_eq!(usize::from(option.offset), end, "options lie one behind the other");
        assert_eq!(option.kind, bytes[end]);
        end += if option.kind < 2 { 1 } else { 2 + option.data.len() };
        assert!(end <= bytes.len().min(TcpOptions::MAX_LEN));
        assert_eq!(SackBlocks::new(option.data).count(), option.data.len() / 8);
    }
    assert!(options.next().is_none(), "an ended walk stays ended");
    assert!(!options.truncated(), "a whole list can't be cut");

    let whole = SynOptions::parse(bytes);
    let cut = SynOptions::parse_cut(bytes);
    assert!(whole.shift() <= 14);
    assert!(!whole.truncated && (!options.malformed() || whole.malformed));
    assert_eq!((whole.mss, whole.timestamps, whole.mptcp), (cut.mss, cut.timestamps, cut.mptcp));
});
