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
    fetch_lines(std::ptr::from_ref(item).cast(), size_of::<T>());
}

/// Begins to fetch so many octets.
#[inline]
pub(crate) fn fetch_lines(start: *const u8, octets: usize) {
    for octet in (0..octets).step_by(CACHE_LINE) {
        fetch(start.wrapping_add(octet));
    }
}

/// Begins to fetch what lies in `octets` between `from` and `to`, as far as it goes, to the second cache.
#[inline]
pub fn prefetch_range(octets: &[u8], from: usize, to: usize) {
    for at in (from..to.min(octets.len())).step_by(CACHE_LINE) {
        let address: *const u8 = std::ptr::from_ref(&octets[at]);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch changes nothing but the cache, whatever the address.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(address.cast());
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above; the instruction reads no register but this one and writes none.
        unsafe {
            std::arch::asm!("prfm pldl2keep, [{0}]", in(reg) address, options(nostack, preserves_flags, readonly));
        }
        let _ = address;
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
