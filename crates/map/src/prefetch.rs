//! Telling the processor what will be looked at next, so that it lies in the cache by then.

/// Begins to fetch the cache line that `items[at]` begins in; nothing where that lies beyond the end.
#[inline]
pub fn prefetch<T>(items: &[T], at: usize) {
    if let Some(item) = items.get(at) {
        fetch(std::ptr::from_ref(item).cast());
    }
}

/// Begins to fetch all of `items[at]`; nothing where that lies beyond the end.
#[inline]
pub fn prefetch_whole<T>(items: &[T], at: usize) {
    let Some(item) = items.get(at) else { return };
    let start: *const u8 = std::ptr::from_ref(item).cast();
    for octet in (0..size_of::<T>()).step_by(CACHE_LINE) {
        fetch(start.wrapping_add(octet));
    }
}

/// Octets of a cache line, nearly everywhere.
const CACHE_LINE: usize = 64;

#[inline]
fn fetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch changes nothing but the cache, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; the instruction reads no register but this one and writes none.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    let _ = address;
}
