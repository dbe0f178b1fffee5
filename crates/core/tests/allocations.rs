//! Segments allocate nothing after warm-up. Counted per thread: the test harness allocates on its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;
use tcpskein_core::seq::SeqNum;
use tcpskein_core::stream::{Arena, GapReason, Segment, Sink, Stream, StreamLimits};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn allocations() -> u64 {
    ALLOCATIONS.get()
}

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps `GlobalAlloc`'s contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract for `layout`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, that is from `System`, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn in_order(&mut self, _: u64, range: Range<u32>) {
        self.0 += u64::from(range.end - range.start);
    }
    fn released(&mut self, _: u64, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
    fn gap(&mut self, _: u64, _: u64, _: GapReason) {}
    fn conflict(&mut self, _: u64, _: &[u8], _: &[u8]) {}
}

/// Pushes `count` segments of 1,448 octets, every `step` of them in reverse order. Returns the next segment's number.
fn push(stream: &mut Stream, arena: &mut Arena, sink: &mut Count, first: u32, count: u32, step: u32) -> u32 {
    let payload = [7_u8; 1448];
    for n in 0..count {
        let at = first + n / step * step + (step - 1 - n % step);
        let seq = SeqNum(1).plus(at.wrapping_mul(1448));
        let (payload, wire_len) = (&payload[..], 1448);
        let segment = Segment { seq, payload, wire_len, ..Segment::default() };
        stream.push(arena, &segment, sink);
        stream.on_ack(arena, seq, 0, sink);
    }
    first + count
}

#[test]
fn segments_after_warm_up_allocate_nothing() {
    let (mut arena, mut stream, mut sink) = (Arena::new(StreamLimits::default()), Stream::new(0), Count::default());
    let syn = Segment { seq: SeqNum(0), syn: true, ..Segment::default() };
    stream.push(&mut arena, &syn, &mut sink);
    let before_warm_up = allocations();
    let next = push(&mut stream, &mut arena, &mut sink, 0, 64, 64);
    let warm = allocations();
    assert!(warm > before_warm_up, "the counter counts");
    let next = push(&mut stream, &mut arena, &mut sink, next, 10_000, 1);
    let next = push(&mut stream, &mut arena, &mut sink, next, 6400, 64);
    assert_eq!(allocations(), warm);
    assert_eq!(sink.0, u64::from(next) * 1448, "and every octet came out");
}
