//! Hosts' names in filters, asked of the system while a filter is compiled.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the names of one filter may take altogether. JavaScript waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// The names of one filter.
pub struct Resolver {
    known: RefCell<HashMap<String, Vec<IpAddr>>>,
    /// Set when the first name is asked for.
    until: RefCell<Option<Instant>>,
}

impl Resolver {
    /// One that knows no name yet.
    pub fn new() -> Self {
        Self { known: RefCell::default(), until: RefCell::default() }
    }

    /// The addresses of `name`, each once; none where it has none, or where the time is over.
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let until = *self.until.borrow_mut().get_or_insert_with(|| Instant::now() + PATIENCE);
        let found = ask(name.to_owned(), until.saturating_duration_since(Instant::now()));
        self.known.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }
}

/// Asks on a thread of its own, which is left alone where it takes too long: the system can't be told to give up.
fn ask(name: String, patience: Duration) -> Vec<IpAddr> {
    let (answer, answered) = mpsc::channel();
    let asking = thread::Builder::new().name("tcpskein-resolve".to_owned()).spawn(move || {
        let mut found: Vec<IpAddr> = Vec::new();
        for address in (&name[..], 0_u16).to_socket_addrs().into_iter().flatten() {
            if !found.contains(&address.ip()) {
                found.push(address.ip());
            }
        }
        let _ = answer.send(found);
    });
    match asking {
        Ok(_) => answered.recv_timeout(patience).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}
