//! Telling the processor what will be looked at next, so that it lies in the cache by then.

/// Begins to fetch the cache line of `octets[at]`; nothing where that lies beyond the end.
#[inline]
pub fn prefetch(octets: &[u8], at: usize) {
    let Some(octet) = octets.get(at) else { return };
    let address: *const u8 = octet;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of an address that is valid to read changes nothing but the cache.
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
