//! Where fuzzing begins: well-formed inputs for each target, in the form that the target reads (see `fuzz/fuzz_targets`).
//!
//! A mutated frame of a link layer goes deeper than octets that happen to begin like one. What compressions there are is
//! not known here; who has the encoders makes their seeds ([`captures`] gives the content).

mod captures;
mod filter;
mod fragments;
mod frame;
mod options;
mod reassembly;

pub use captures::captures;

/// A seed: what it holds, which is also its file's name, and its octets.
pub type Seed = (String, Vec<u8>);

/// The seeds of a target; `None` for one that isn't known, and for `decompress`.
#[must_use]
pub fn of(target: &str) -> Option<Vec<Seed>> {
    Some(match target {
        "filter" => filter::seeds(),
        "fragments" => fragments::seeds(),
        "frame" => frame::seeds(),
        "options" => options::seeds(),
        "pcap" => captures::pcap_seeds(),
        "pcapng" => captures::pcapng_seeds(),
        "reassembly" => reassembly::seeds(),
        _ => return None,
    })
}

/// A file's name made of words: lower case, hyphens between them.
fn name(words: &str) -> String {
    let plain: String =
        words.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}
