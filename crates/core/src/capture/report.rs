//! What is told of a capture when it was read: what it says of itself, what its packets come to; as JSON for
//! JavaScript.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::{CaptureInfo, Compression, InterfaceInfo, PacketTotals, Resolution};

/// Reports that wait in a log at most; further ones are left out until these are taken.
pub const MAX_REPORTS: usize = 1024;

/// A capture that was read, as far as it could be.
#[derive(Clone, Debug)]
pub struct CaptureReport {
    /// Number of the capture in its run, from 0.
    pub capture: u32,
    /// Its name as the user gave it.
    pub name: String,
    /// How it is compressed.
    pub compression: Option<Compression>,
    /// Octets of input read (of compressed input: compressed octets).
    pub input_bytes: u64,
    /// Its packets.
    pub totals: PacketTotals,
    /// What it says of itself.
    pub info: CaptureInfo,
}

/// Reports that nobody took yet; clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct CaptureLog(Arc<Mutex<Vec<CaptureReport>>>);

impl CaptureLog {
    /// Adds a report, unless there are [`MAX_REPORTS`].
    pub fn add(&self, report: CaptureReport) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() < MAX_REPORTS {
            reports.push(report);
        }
    }

    /// Takes all reports, by number of capture.
    #[must_use]
    pub fn take(&self) -> Vec<CaptureReport> {
        let mut reports = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        reports.sort_by_key(|report| report.capture);
        reports
    }

    /// Takes all reports as a JSON array.
    #[must_use]
    pub fn take_json(&self) -> String {
        let mut json = Json::default();
        json.list(None, &self.take(), |json, report| json.object(|json| report.write(json)));
        json.out
    }
}

impl CaptureReport {
    fn write(&self, json: &mut Json) {
        let (info, totals) = (&self.info, &self.totals);
        let span = totals.span_ns();
        json.number("capture", u64::from(self.capture));
        json.text("name", &self.name);
        json.text("format", info.format);
        json.text("byteOrder", if info.big_endian { "big" } else { "little" });
        json.optional_text("compression", self.compression.map(Compression::name));
        json.number("inputBytes", self.input_bytes);
        json.number("packets", totals.packets);
        json.number("capturedBytes", totals.captured_bytes);
        json.number("wireBytes", totals.wire_bytes);
        // As text: more than 2^53.
        json.optional_text("firstNs", span.map(|(first, _)| first.to_string()).as_deref());
        json.optional_text("lastNs", span.map(|(_, last)| last.to_string()).as_deref());
        json.flag("inOrder", totals.in_order);
        json.number("sections", info.sections);
        json.list(Some("interfaces"), &info.interfaces, |json, i| json.object(|json| write_interface(i, json)));
        json.number("interfaceCount", info.interface_count);
        json.optional_text("hardware", info.hardware.as_deref());
        json.optional_text("os", info.os.as_deref());
        json.optional_text("application", info.application.as_deref());
        json.list(Some("comments"), &info.comments, |json, comment| json.quote(comment));
        json.number("commentCount", info.comment_count);
        json.number("untimedPackets", info.untimed_packets);
        json.number("shortWireLengths", info.short_wire_lens);
        json.number("badOptions", info.bad_options);
        json.list(Some("notes"), &info.notes, |json, note| json.quote(note));
    }
}

fn write_interface(interface: &InterfaceInfo, json: &mut Json) {
    let InterfaceInfo { statistics, .. } = interface;
    let (base, exponent) = match interface.resolution {
        Resolution::Decimal(n) => (10, n),
        Resolution::Binary(n) => (2, n),
    };
    json.number("id", u64::from(interface.id));
    json.number("linkType", u64::from(interface.link.0));
    json.optional_text("name", interface.name.as_deref());
    json.optional_text("description", interface.description.as_deref());
    json.optional_text("filter", interface.filter.as_deref());
    json.number("snaplen", u64::from(interface.snaplen));
    json.text("resolution", &format!("{base}^-{exponent}"));
    json.text("offsetSeconds", &interface.offset_s.to_string());
    json.optional_number("fcsLength", interface.fcs_len.map(u64::from));
    json.optional_number("speed", interface.speed_bps);
    json.optional_number("received", statistics.received);
    json.optional_number("dropped", statistics.dropped);
    json.optional_number("filterAccepted", statistics.filter_accepted);
    json.optional_number("osDropped", statistics.os_dropped);
    json.optional_number("delivered", statistics.delivered);
    json.number("lostPackets", interface.lost_packets);
}

/// Writes JSON, with the commas where they belong.
#[derive(Default)]
struct Json {
    out: String,
}

impl Json {
    fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push('{');
        members(self);
        self.out.push('}');
    }

    fn list<T>(&mut self, name: Option<&str>, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        if let Some(name) = name {
            self.name(name);
        }
        self.out.push('[');
        for item in items {
            self.separate();
            write(self, item);
        }
        self.out.push(']');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.quote(value);
    }

    fn optional_text(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        self.raw(name, &value.to_string());
    }

    fn optional_number(&mut self, name: &str, value: Option<u64>) {
        match value {
            Some(value) => self.number(name, value),
            None => self.raw(name, "null"),
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.out.push_str(value);
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.quote(name);
        self.out.push(':');
    }

    /// A comma, unless something begins here.
    fn separate(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b',' | b':')) {
            self.out.push(',');
        }
    }

    /// RFC 8259 section 7.
    fn quote(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c if c < ' ' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::LinkType;
    use serde_json::json;

    #[test]
    fn report_as_json_reads_back() {
        let mut info = CaptureInfo { format: "pcapng", big_endian: true, ..CaptureInfo::default() };
        let name = "quote \" backslash \\ line\nend, [tab]\t{µ}:".to_owned();
        info.add_interface(InterfaceInfo::new(0, LinkType(1), 65535, Resolution::Binary(20)));
        let named = InterfaceInfo { name: Some(name.clone()), speed_bps: Some(7), ..info.interfaces[0].clone() };
        info.add_interface(named);
        info.add_comment(b"one");
        info.add_comment(b"");
        let mut totals = PacketTotals::default();
        totals.count(1, 2);
        totals.time(i64::MAX);
        let report = CaptureReport { capture: 1, name: name.clone(), compression: None, input_bytes: 3, totals, info };
        let log = CaptureLog::default();
        log.add(report.clone());
        log.add(CaptureReport { capture: 0, ..report });
        let read: serde_json::Value = serde_json::from_str(&log.take_json()).unwrap();
        assert_eq!(read.as_array().unwrap().len(), 2);
        assert_eq!((&read[0]["capture"], &read[1]["capture"]), (&json!(0), &json!(1)));
        assert_eq!((&read[1]["name"], &read[1]["compression"]), (&json!(name), &json!(null)));
        assert_eq!(read[1]["firstNs"], json!("9223372036854775807"));
        assert_eq!(read[1]["comments"], json!(["one", ""]));
        assert_eq!(read[1]["interfaces"][0]["name"], json!(null));
        assert_eq!(read[1]["interfaces"][1]["name"], json!(name));
        assert_eq!((&read[1]["interfaces"][1]["speed"], &read[1]["notes"]), (&json!(7), &json!([])));
        assert_eq!(log.take_json(), "[]");
    }

    #[test]
    fn log_at_its_limit_leaves_further_reports_out() {
        let log = CaptureLog::default();
        for capture in 0..MAX_REPORTS as u32 + 10 {
            log.add(CaptureReport {
                capture,
                name: String::new(),
                compression: None,
                input_bytes: 0,
                totals: PacketTotals::default(),
                info: CaptureInfo::default(),
            });
        }
        assert_eq!(log.take().len(), MAX_REPORTS);
    }
}
