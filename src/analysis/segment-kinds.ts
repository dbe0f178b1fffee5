/** Kinds of segments, by Wireshark's names without `tcp.analysis.`; see the columns `kind_*` of the analysis. */
export const SEGMENT_KINDS = [
  'retransmission',
  'fast_retransmission',
  'spurious_retransmission',
  'out_of_order',
  'lost_segment',
  'ack_lost_segment',
  'duplicate_ack',
  'zero_window',
  'window_full',
  'keep_alive',
  'keep_alive_ack',
  'window_update',
  'zero_window_probe',
  'zero_window_probe_ack',
] as const

/** One of {@link SEGMENT_KINDS}. */
export type SegmentKind = (typeof SEGMENT_KINDS)[number]
