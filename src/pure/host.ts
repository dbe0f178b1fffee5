/**
 * What the engine needs of the place it runs in: files, and decoders of the rarer compressions. The engine itself knows
 * neither Node nor browsers.
 */
import * as pako from 'pako'
import type { Compression } from './capture/compression.js'
import type { Input } from './capture/input.js'
import { ioError } from './error.js'
import { beginSha256, type BeginHash } from './sha256.js'

/** pako's functions. */
export type Inflate = Pick<
  typeof pako,
  'ZStream' | 'zlibInflate' | 'zlibInflateInit2' | 'zlibInflateReset'
>

/** What a place has to offer. */
export interface Host {
  /**
   * Opens a file.
   *
   * @throws CaptureError, code ERR_CAPTURE_IO, where it can't be opened
   */
  openFile(path: string): Input
  /** Decodes what `inner` delivers behind `head`; null where this place can't. */
  decoder(compression: Compression, inner: Input, head: Uint8Array): Input | null
  /** What inflates gzip's data. */
  inflate(): Inflate
  /** Begins a SHA-256 of a stream. */
  beginSha256: BeginHash
  /** Lets timers and other work have their turn. */
  yield(): Promise<void>
}

/** A place without files: captures come as octets. */
export const browserHost: Host = {
  openFile(path) {
    throw ioError('open', `there are no files here, give octets or a stream instead of the path ${path}`)
  },
  decoder: () => null,
  inflate: () => pako,
  beginSha256,
  yield: nextTask,
}

/** A message to oneself is a task of its own, and comes sooner than a timer. */
function nextTask(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(null)
  })
}
