//! Errors of the core as JavaScript errors with their stable `code`.

use std::any::Any;

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

/// What a caught panic said.
pub fn from_panic(payload: Box<dyn Any + Send>) -> FlowError {
    let message = match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or_else(|| "panic".to_owned(), |t| (*t).to_owned()),
    };
    FlowError::Internal { message }
}
