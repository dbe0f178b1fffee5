//! The clock on the wall, which packets are stamped with.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since the Unix epoch; saturates in the year 2262.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
