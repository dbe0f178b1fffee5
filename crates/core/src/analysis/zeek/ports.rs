//! Which side of a connection whose SYN was not seen is the server: Zeek's guess by well-known ports.

/// TCP ports that Zeek's own scripts list in `likely_server_ports`.
const LIKELY: [u16; 48] = [21, 22, 25, 53, 79, 80, 81, 88, 110, 135, 139, 143, 389, 443, 445, 502, 563, 585, 587, 614, 631, 636, 989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000];

fn is_likely(port: u16) -> bool {
    LIKELY.contains(&port)
}

/// The sender of a first segment that is no plain SYN is the server. Where both ports are well known, the lower one
/// is; but not for a SYN with ACK, which may be a scan.
pub fn source_is_server(source: u16, destination: u16, syn: bool) -> bool {
    is_likely(source) && (!is_likely(destination) || !syn && source < destination)
}
