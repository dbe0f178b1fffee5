/** What the two sides of a connection sent, as far as it is kept. */
import type { ConnectionRecord, Gap } from './connection.js'
import { concat, hex } from './octets.js'
import { platform } from './platform.js'

/** What one side sent. */
export interface StreamContent {
  /** Octets delivered in order, kept or not; gaps not counted. */
  readonly length: number
  /** Octets that are missing for good, as `[offset, length]`. */
  readonly gaps: readonly Gap[]
  /** All delivered octets were kept. */
  readonly complete: boolean
  /** What was kept, in pieces, gaps left out. */
  chunks(): readonly Uint8Array[]
  /** What was kept, in one piece, gaps left out. */
  bytes(): Uint8Array
  /** SHA-256 of the delivered octets, hexadecimal; null where not all were kept and no `hash` was asked for. */
  sha256(): string | null
}

/** The same of client and server. */
export type Contents = readonly [client: Content, server: Content]

/** Of a connection of which nothing is kept yet. */
export const noContents = (): Contents => [new Content('fwd'), new Content('rev')]

/** What one side of a connection sent, kept as it came. */
export class Content implements StreamContent {
  /** Octets kept. */
  kept = 0
  readonly #direction: 'fwd' | 'rev'
  readonly #chunks: Uint8Array[] = []
  #digest: string | undefined
  length = 0
  gaps: readonly Gap[] = []

  constructor(direction: 'fwd' | 'rev') {
    this.#direction = direction
  }

  /** The connection ended: what its record says of this direction. */
  end(record: ConnectionRecord): void {
    const fwd = this.#direction === 'fwd'
    this.length = fwd ? record.stream_len_fwd : record.stream_len_rev
    this.gaps = fwd ? record.gaps_fwd : record.gaps_rev
    this.#digest = fwd ? record.stream_sha256_fwd : record.stream_sha256_rev
  }

  /** Keeps a copy of at most `room` octets; how many. */
  push(data: Uint8Array, room: number): number {
    const taken = Math.max(0, Math.min(room, data.length))
    if (taken > 0) this.#chunks.push(data.slice(0, taken))
    this.kept += taken
    return taken
  }

  get complete(): boolean {
    return this.kept === this.length
  }

  chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  bytes(): Uint8Array {
    return concat(this.#chunks)
  }

  sha256(): string | null {
    if (this.#digest !== undefined || !this.complete) return this.#digest ?? null
    const hash = platform().beginSha256()
    for (const chunk of this.#chunks) hash.update(chunk)
    return hex(hash.digest(), 0, 32)
  }
}
