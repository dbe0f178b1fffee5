/** A flow's label, which also names its file: `src_srcport-dst_dstport-timestamp`. The engine makes the same text. */

/** Who sent a flow's first packet to whom, and when. */
export interface LabelParts {
  readonly src: string
  readonly srcport: number
  readonly dst: string
  readonly dstport: number
  /** Seconds since the Unix epoch. */
  readonly timestamp: number
}

/** An address has 45 characters at most; what isn't one gets no more. */
const MOST = 64

/**
 * The label. IPv6 addresses have `.` for `:`. Whatever the parts are, the label holds digits, letters and `. _ + -` only
 * and is no name of a folder, so it leads nowhere else.
 */
export function flowLabel({ src, srcport, dst, dstport, timestamp }: LabelParts): string {
  return `${safe(src)}_${safe(srcport)}-${safe(dst)}_${safe(dstport)}-${safe(timestamp)}`
}

function safe(part: string | number): string {
  return String(part).slice(0, MOST).replaceAll(':', '.').replace(/[^\w.+-]/g, '_')
}

/** The label of a flow whose own was taken: it gets a number. */
export const numbered = (label: string, suffix: number): string => (suffix === 0 ? label : `${label}-${suffix}`)
