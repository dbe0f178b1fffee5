/** What a file writer's thread is told, and what it answers. Octets travel in one buffer for many files. */

/** What to do with one file: its octets follow those of the file before. */
export interface FileJob {
  /** Name in the writer's folder. */
  readonly name: string
  /** Octets. */
  readonly length: number
  /** `create`: the file must not be there; `replace`: or is replaced; `append`: it must be there. */
  readonly mode: 'create' | 'replace' | 'append'
}

/** Files to be written, one after another. */
export interface FileBatch {
  readonly jobs: readonly FileJob[]
  /** Comes back with the answer, to be filled again. */
  readonly octets: ArrayBuffer
}

/** How it went. */
export interface FileAnswer {
  /** Places of jobs that failed, and why. */
  readonly failures: readonly (readonly [job: number, reason: string])[]
  readonly octets: ArrayBuffer
}
