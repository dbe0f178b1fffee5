/** SHA-256 of a stream: what the engine needs of a hash, and one that runs everywhere. */
import { sha256 } from '@noble/hashes/sha2.js'

/** A hash under way. */
export interface Hash {
  /** Takes octets in; they may change afterwards. */
  update(octets: Uint8Array): unknown
  /** The digest, once: 32 octets. */
  digest(): Uint8Array
}

/** Begins a SHA-256 (FIPS 180-4). */
export type BeginHash = () => Hash

/** In JavaScript. */
export const beginSha256: BeginHash = () => sha256.create()
