//! Errors of the core as JavaScript errors with their stable `code`.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Once;

use napi::{Env, Error, JsError};
use tcpskein_core::error::FlowError;

/// For a synchronous function: throws with `error.code`.
pub fn throw(error: &FlowError) -> Error<&'static str> {
    Error::new(error.code(), error.to_string())
}

/// For a task's `resolve`: rejects with `error.code` and, where there is one, `error.offset`.
pub fn reject(env: Env, error: &FlowError) -> Error {
    Error::from(JsError::from(throw(error)).into_unknown(env))
}

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics become errors that say where they were, so nothing need be printed. (This library has its own hook; other
/// Rust in the process keeps its own.)
pub fn keep_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            PLACE.with_borrow_mut(|kept| *kept = place);
        }));
    });
}

/// What a caught panic said, and where.
pub fn from_panic(payload: Box<dyn Any + Send>) -> FlowError {
    let message = match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or_else(|| "panic".to_owned(), |t| (*t).to_owned()),
    };
    FlowError::Internal { message: PLACE.with_borrow(|place| format!("{message} ({place})")) }
}
