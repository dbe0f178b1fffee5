use super::*;
use proptest::prelude::*;

fn kinds(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut options = TcpOptions::new(bytes);
    let kinds = options.by_ref().map(|o| o.kind).collect();
    (kinds, options.malformed())
}

#[test]
fn list_sound_or_broken_ends_cleanly() {
    let cases: &[(&[u8], &[u8], bool)] = &[
        (&[], &[], false),
        (&[1, 1, 0, 2, 4], &[1, 1, 0], false),
        (&[2, 4, 5, 180, 1, 3, 3, 7], &[2, 1, 3], false),
        (&[1, 2, 0, 5, 180], &[1], true),
        (&[1, 2, 1, 5, 180], &[1], true),
        (&[2, 4, 5], &[], true),
        (&[1, 8], &[1], true),
        (&[4, 2], &[4], false),
        (&[77, 2, 77, 3, 9], &[77, 77], false),
        (&[255, 255, 1, 1], &[], true),
    ];
    for (bytes, expected, malformed) in cases {
        assert_eq!(kinds(bytes), (expected.to_vec(), *malformed), "{bytes:?}");
    }
}

#[test]
fn list_ended_stays_ended() {
    for bytes in [&[2, 0, 1, 1][..], &[0, 1, 1, 1], &[1, 1]] {
        let mut options = TcpOptions::new(bytes);
        while options.next().is_some() {}
        assert!(options.next().is_none());
        let malformed = options.malformed();
        assert!(options.next().is_none());
        assert_eq!(options.malformed(), malformed);
    }
}

#[test]
fn list_over_forty_octets_is_not_read_further() {
    let bytes = [1_u8; 60];
    assert_eq!(TcpOptions::new(&bytes).count(), 40);
}

#[test]
fn list_cut_by_snaplen_is_truncated_and_not_malformed() {
    let whole = [2, 4, 5, 180, 3, 3, 7, 0];
    for end in 0..whole.len() {
        let cut = SynOptions::parse_cut(&whole[..end]);
        assert!(cut.truncated && !cut.malformed, "{end}");
        assert_eq!(cut.mss, (end >= 4).then_some(1460), "{end}");
        assert_eq!(cut.window_scale, (end >= 7).then_some(7), "{end}");
    }
    // End-of-list was seen, so nothing can be missing.
    assert!(!SynOptions::parse_cut(&whole).truncated);
    // A length below two is wrong however much is missing, and stays so.
    for length in [0, 1] {
        let bytes = [2, length, 3];
        let mut options = TcpOptions::new_cut(&bytes);
        for _ in 0..3 {
            assert!(options.next().is_none());
            assert!(options.malformed() && !options.truncated());
        }
    }
}

#[test]
fn summary_of_a_linux_syn_has_everything() {
    let bytes = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 2, 0, 0, 0, 3, 1, 3, 3, 10, 34, 2, 0, 0];
    let expected = SynOptions {
        mss: Some(1460),
        window_scale: Some(10),
        sack_permitted: true,
        timestamps: Some((258, 3)),
        fast_open: Some(FastOpen { kind: 34, cookie_len: 0 }),
        ..SynOptions::default()
    };
    assert_eq!(SynOptions::parse(&bytes), expected);
}

#[test]
fn summary_repeated_option_keeps_the_first() {
    let bytes = [2, 4, 0, 1, 2, 4, 0, 2, 3, 3, 1, 3, 3, 2];
    let summary = SynOptions::parse(&bytes);
    assert_eq!((summary.mss, summary.window_scale), (Some(1), Some(1)));
    assert_eq!(TcpOptions::new(&bytes).filter(|o| o.kind == TO_MSS).count(), 2);
}

#[test]
fn summary_known_option_with_a_wrong_length_is_passed_over_and_marked() {
    for bytes in [&[2, 3, 9, 3, 3, 7][..], &[8, 3, 9, 3, 3, 7], &[5, 6, 1, 2, 3, 4, 3, 3, 7], &[30, 2, 3, 3, 7]] {
        let summary = SynOptions::parse(bytes);
        assert_eq!(summary, SynOptions { window_scale: Some(7), malformed: true, ..SynOptions::default() });
    }
}

#[test]
fn shift_over_fourteen_is_capped() {
    for (raw, shift) in [(0, 0), (14, 14), (15, 14), (255, 14)] {
        let summary = SynOptions::parse(&[3, 3, raw]);
        assert_eq!((summary.window_scale, summary.shift()), (Some(raw), shift));
    }
    assert_eq!(SynOptions::default().shift(), 0);
}

#[test]
fn fast_open_is_found_under_each_kind() {
    for kind in [253, 254, 255] {
        let summary = SynOptions::parse(&[kind, 8, 0xf9, 0x89, 1, 2, 3, 4]);
        assert_eq!(summary.fast_open, Some(FastOpen { kind, cookie_len: 4 }));
        assert_eq!(summary.experiment, Some(0xf989));
        let other = SynOptions::parse(&[kind, 6, 0xe2, 0xd4, 1, 2]);
        assert_eq!((other.fast_open, other.experiment), (None, Some(0xe2d4)));
        assert_eq!(SynOptions::parse(&[kind, 3, 0xf9]).experiment, None);
    }
    let own = SynOptions::parse(&[34, 10, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((own.fast_open, own.experiment), (Some(FastOpen { kind: 34, cookie_len: 8 }), None));
}

#[test]
fn rarer_options_are_read() {
    let mptcp = SynOptions::parse(&[30, 4, 0x01, 0x81]).mptcp;
    assert_eq!(mptcp, Some(Mptcp { subtype: 0, version: Some(1) }));
    assert_eq!(SynOptions::parse(&[30, 3, 0x1f]).mptcp, Some(Mptcp { subtype: 1, version: None }));
    let mut md5 = vec![19, 18];
    md5.extend_from_slice(&[7; 16]);
    assert!(SynOptions::parse(&md5).md5);
    assert!(SynOptions::parse(&[29, 4, 1, 1]).ao);
    assert_eq!(SynOptions::parse(&[172, 5, 0, 0, 1]).acc_ecn, Some(172));
    assert_eq!(SynOptions::parse(&[174, 2]).acc_ecn, Some(174));
    let timeout = SynOptions::parse(&[28, 4, 0x80, 5]);
    assert_eq!((timeout.user_timeout, timeout.user_timeout_s()), (Some(0x8005), Some(300)));
    assert_eq!(SynOptions::parse(&[28, 4, 0, 5]).user_timeout_s(), Some(5));
}

#[test]
fn sack_blocks_come_in_wire_order() {
    let data = [0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 4, 4];
    let blocks = SackBlocks::new(&data);
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks.collect::<Vec<_>>(), [(1, 2), (u32::MAX, 9)]);
}

/// A model that never shares a line with the walk: cuts a copy of the list from its head.
fn naive(bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, bool) {
    let mut left: std::collections::VecDeque<u8> = bytes.iter().copied().take(40).collect();
    let mut found = Vec::new();
    while let Some(kind) = left.pop_front() {
        if kind < 2 {
            found.push((kind, Vec::new()));
            if kind == 0 {
                break;
            }
            continue;
        }
        let Some(length) = left.pop_front() else { return (found, true) };
        if length < 2 || usize::from(length) - 2 > left.len() {
            return (found, true);
        }
        found.push((kind, left.drain(..usize::from(length) - 2).collect()));
    }
    (found, false)
}

/// Data of the first option of a kind with the right length.
fn first_of(bytes: &[u8], kind: u8, len: usize) -> Option<Vec<u8>> {
    naive(bytes).0.into_iter().find(|(k, data)| *k == kind && data.len() == len).map(|(_, data)| data)
}

proptest! {
    #[test]
    fn walk_of_any_octets_equals_the_model(bytes in proptest::collection::vec(prop_oneof![0..12_u8, any::<u8>()], 0..48)) {
        let mut options = TcpOptions::new(&bytes);
        let mut found = Vec::new();
        for option in options.by_ref() {
            prop_assert_eq!(bytes[usize::from(option.offset)], option.kind);
            found.push((option.kind, option.data.to_vec()));
        }
        prop_assert_eq!((found, options.malformed()), naive(&bytes));
        let (first_mss, whole) = (first_of(&bytes, TO_MSS, 2), SynOptions::parse(&bytes));
        prop_assert_eq!(whole.mss, first_mss.map(|d| u16::from(d[0]) << 8 | u16::from(d[1])));
        prop_assert_eq!(whole.window_scale, first_of(&bytes, TO_WS, 1).map(|d| d[0]));
        prop_assert_eq!(SynOptions::parse_cut(&bytes).mss, whole.mss);
    }
}
