//! What is missing, and the one command that mends it.

use tcpskein_core::error::FlowError;

/// The system doesn't let this program capture.
pub(crate) fn not_permitted(interface: &str) -> FlowError {
    FlowError::NotPermitted { interface: interface.to_owned(), remedy: remedy() }
}

#[cfg(target_os = "linux")]
fn remedy() -> String {
    // The program itself, since capabilities aren't granted to a link.
    let program = std::env::current_exe().map_or_else(|_| "node".to_owned(), |path| path.display().to_string());
    format!("grant it with `sudo setcap cap_net_raw=ep {program}`, or use sudo")
}

#[cfg(all(unix, not(target_os = "linux")))]
fn remedy() -> String {
    "grant it with `sudo chmod o+r /dev/bpf*`, or use sudo".to_owned()
}

#[cfg(windows)]
fn remedy() -> String {
    "start the program as Administrator, or install Npcap without restricting it to Administrators".to_owned()
}
