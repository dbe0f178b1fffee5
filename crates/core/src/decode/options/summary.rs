//! What the options of one segment (mostly a SYN) say, in a few octets.

use super::{
    MAX_WINDOW_SHIFT, TCP_OPT_ACC_ECN0, TCP_OPT_ACC_ECN1, TCP_OPT_AO, TCP_OPT_EXP1, TCP_OPT_EXP2, TCP_OPT_MD5,
    TCP_OPT_USER_TIMEOUT, TO_EXID_FASTOPEN, TO_EXPB, TO_FASTOPEN, TO_MPTCP, TO_MSS, TO_SACK, TO_SACKOK, TO_TS, TO_WS,
    TcpOption, TcpOptions,
};

/// A Fast Open option (RFC 7413).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FastOpen {
    /// 34, or the experiment's kind (253, 254, 255) under which identifier 0xF989 stood.
    pub kind: u8,
    /// Octets of cookie: 0 asks for one, 4 to 16 carry one.
    pub cookie_len: u8,
}

/// A Multipath TCP option (RFC 8684 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mptcp {
    /// Subtype, 0 to 15: 0 `MP_CAPABLE`, 1 `MP_JOIN`, 2 `DSS`, …
    pub subtype: u8,
    /// Protocol version; only `MP_CAPABLE` carries one.
    pub version: Option<u8>,
}

/// Summary of an option list: of each kind the first occurrence that has a possible length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SynOptions {
    /// Maximum segment size in octets, as announced.
    pub mss: Option<u16>,
    /// Window shift as announced; see [`SynOptions::shift`] for what counts.
    pub window_scale: Option<u8>,
    /// Selective acknowledgements are permitted.
    pub sack_permitted: bool,
    /// Timestamps: value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// Fast Open under its own kind or as an experiment.
    pub fast_open: Option<FastOpen>,
    /// Multipath TCP.
    pub mptcp: Option<Mptcp>,
    /// An MD5 signature stands in the list.
    pub md5: bool,
    /// An authentication option (TCP-AO) stands in the list.
    pub ao: bool,
    /// User timeout as it stands on the wire: top bit set = minutes; see [`SynOptions::user_timeout_s`].
    pub user_timeout: Option<u16>,
    /// Accurate ECN: kind 172 (order 0) or 174 (order 1).
    pub acc_ecn: Option<u8>,
    /// First experiment identifier under kind 253, 254 or 255 (RFC 6994; only its first 16 bits).
    pub experiment: Option<u16>,
    /// A length broke the list off, or a known option has a length it can't have.
    pub malformed: bool,
    /// The list was not captured to its end, so what is missing here may have been sent.
    pub truncated: bool,
}

impl SynOptions {
    /// Reads a whole list.
    #[inline]
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Self::collect(TcpOptions::new(bytes))
    }

    /// Reads the captured head of a list whose end was cut off.
    #[inline]
    #[must_use]
    pub fn parse_cut(bytes: &[u8]) -> Self {
        Self::collect(TcpOptions::new_cut(bytes))
    }

    /// Window shift that both ends use: the announced one, at most 14 (RFC 7323 section 2.3); 0 without the option.
    #[inline]
    #[must_use]
    pub fn shift(&self) -> u8 {
        self.window_scale.unwrap_or(0).min(MAX_WINDOW_SHIFT)
    }

    /// User timeout in seconds, 0 to 1,966,020 (RFC 5482 section 3).
    #[must_use]
    pub fn user_timeout_s(&self) -> Option<u32> {
        self.user_timeout.map(|raw| {
            let value = u32::from(raw & 0x7fff);
            if raw & 0x8000 == 0 { value } else { value * 60 }
        })
    }

    fn collect(mut options: TcpOptions<'_>) -> Self {
        let mut summary = Self::default();
        for option in &mut options {
            if !summary.take(option) {
                summary.malformed = true;
            }
        }
        summary.malformed |= options.malformed();
        summary.truncated = options.truncated();
        summary
    }

    /// Notes one option; false where its length is impossible for its kind.
    #[inline]
    fn take(&mut self, option: TcpOption<'_>) -> bool {
        match (option.kind, option.data) {
            (TO_MSS, &[a, b]) => first(&mut self.mss, u16::from_be_bytes([a, b])),
            (TO_WS, &[shift]) => first(&mut self.window_scale, shift),
            (TO_SACKOK, &[]) => self.sack_permitted = true,
            (TO_TS, &[a, b, c, d, e, f, g, h]) => {
                let times = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
                first(&mut self.timestamps, times);
            }
            (TO_SACK, blocks) => return !blocks.is_empty() && blocks.len().is_multiple_of(8),
            (TO_MSS | TO_WS | TO_SACKOK | TO_TS, _) => return false,
            _ => return self.take_rarer(option),
        }
        true
    }

    /// The options that most segments don't have.
    fn take_rarer(&mut self, option: TcpOption<'_>) -> bool {
        match (option.kind, option.data) {
            (TO_FASTOPEN, cookie) => self.take_fast_open(option.kind, cookie),
            (TCP_OPT_EXP1 | TCP_OPT_EXP2 | TO_EXPB, data) => self.take_experiment(option.kind, data),
            (TO_MPTCP, &[head, ..]) => {
                // RFC 8684 section 3.1: only MP_CAPABLE has a version in the low half.
                let subtype = head >> 4;
                first(&mut self.mptcp, Mptcp { subtype, version: (subtype == 0).then_some(head & 0x0f) });
            }
            (TCP_OPT_MD5, data) if data.len() == 16 => self.md5 = true,
            (TCP_OPT_AO, data) if data.len() >= 2 => self.ao = true,
            (TCP_OPT_USER_TIMEOUT, &[a, b]) => first(&mut self.user_timeout, u16::from_be_bytes([a, b])),
            // RFC 9768 section 3.2.3: none to three counters of three octets each.
            (TCP_OPT_ACC_ECN0 | TCP_OPT_ACC_ECN1, data) if data.len() <= 9 && data.len().is_multiple_of(3) => {
                first(&mut self.acc_ecn, option.kind);
            }
            (TO_MPTCP | TCP_OPT_MD5 | TCP_OPT_AO | TCP_OPT_USER_TIMEOUT | TCP_OPT_ACC_ECN0 | TCP_OPT_ACC_ECN1, _) => {
                return false;
            }
            _ => {}
        }
        true
    }

    fn take_experiment(&mut self, kind: u8, data: &[u8]) {
        // Experiments older than RFC 6994 have no identifier; two octets of theirs are taken for one.
        let Some((&id, rest)) = data.split_first_chunk::<2>() else { return };
        first(&mut self.experiment, u16::from_be_bytes(id));
        if id == TO_EXID_FASTOPEN {
            self.take_fast_open(kind, rest);
        }
    }

    fn take_fast_open(&mut self, kind: u8, cookie: &[u8]) {
        let cookie_len = u8::try_from(cookie.len()).unwrap_or(u8::MAX);
        first(&mut self.fast_open, FastOpen { kind, cookie_len });
    }
}

/// Keeps what came first.
#[inline]
fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}
