/** `CouchDbWriter`: streams as documents, on a server with CouchDB's protocol or in a database of one's own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { OptionError, StateError, WriterError } from '../errors.js'
import { integer, knownNames, seconds } from '../options.js'
import { CouchStore, parseCouchUrl } from './couch/couch-store.js'
import { partDocument, type PartDocument } from './couch/document.js'
import { PouchStore, type Replicated } from './couch/pouch-store.js'
import { StoreError, type DocumentStore } from './couch/store.js'
import type { StreamPart } from './part.js'
import type { StreamWriter, WriterContext } from './writer.js'

/** What a writer to a database takes: `url` or `path`. */
export interface CouchDbOptions {
  /** `http://USER:PASSWORD@HOST:PORT/DATABASE`; the database is made where it isn't there. */
  url?: string
  /** Folder of an embedded database (PouchDB), which needs no server; the package `pouchdb` must be installed. */
  path?: string
  /**
   * Documents that are sent together, at most.
   * @defaultValue 100
   */
  batchDocuments?: number
  /**
   * Octets of attachments that are sent together, roughly.
   * @defaultValue 2 MiB
   */
  batchBytes?: number
  /**
   * How often a request is repeated when the connection is lost or the server is busy.
   * @defaultValue 8
   */
  maxRetries?: number
  /**
   * Seconds before the first repetition; then twice as long each time, at most 10.
   * @defaultValue 0.1
   */
  retryDelay?: number
  /**
   * Seconds that the server may take for an answer.
   * @defaultValue 60
   */
  timeout?: number
}

/** What became of documents. */
export interface CouchDbStats {
  /** Documents that were added. */
  added: number
  /** Documents that were there already, and the same. */
  existing: number
  /** Documents that were there with other contents, and were replaced. */
  updated: number
  /** Documents that could not be stored. */
  failed: number
  /** Requests that were repeated. */
  retries: number
}

/** A document on its way, and its stream's key. */
interface Sending {
  readonly document: PartDocument
  readonly stream: string
}

/** Longest wait before a repetition, milliseconds. */
const LONGEST_WAIT = 10_000
/** How often a document that another one writes at the same time is tried again. */
const MAX_ROUNDS = 5

/**
 * Writes each part as one document with the octets of both sides as attachments. A document's id is made of what is in
 * the capture, so a second run over the same captures adds nothing. What was sent and not answered is sent again, and
 * what is there already is left as it is; so after a lost connection no document is missing, and none is there twice.
 */
export class CouchDbWriter implements StreamWriter {
  readonly name = 'couchdb'
  readonly wants = { frames: false, octets: true }
  readonly #store: DocumentStore
  readonly #batchDocuments: number
  readonly #batchBytes: number
  readonly #maxRetries: number
  readonly #retryDelay: number
  readonly #stats: CouchDbStats = { added: 0, existing: 0, updated: 0, failed: 0, retries: 0 }
  #context: WriterContext | undefined
  #waiting: Sending[] = []
  #waitingBytes = 0

  /** @throws {@link OptionError} for options that can't be used */
  constructor(options: CouchDbOptions) {
    knownNames(options, ['url', 'path', 'batchDocuments', 'batchBytes', 'maxRetries', 'retryDelay', 'timeout'])
    this.#batchDocuments = integer('batchDocuments', options.batchDocuments, 100, 1, 10_000)
    this.#batchBytes = integer('batchBytes', options.batchBytes, 2 * 2 ** 20, 1, 2 ** 30)
    this.#maxRetries = integer('maxRetries', options.maxRetries, 8, 0, 1000)
    this.#retryDelay = seconds('retryDelay', options.retryDelay, 0.1) * 1000
    this.#store = openStore(options, seconds('timeout', options.timeout, 60) * 1000)
  }

  /** What became of the documents so far. */
  get stats(): CouchDbStats {
    return { ...this.#stats }
  }

  async open(context: WriterContext): Promise<void> {
    this.#context = context
    await this.#patiently(() => this.#store.prepare())
  }

  write(part: StreamPart): Promise<void> | undefined {
    this.#waiting.push({ document: partDocument(part), stream: part.stream.key })
    this.#waitingBytes += part.client.length + part.server.length
    const full = this.#waiting.length >= this.#batchDocuments || this.#waitingBytes >= this.#batchBytes
    return full ? this.#send() : undefined
  }

  async close(): Promise<void> {
    try {
      await this.#send()
    } finally {
      await this.#store.close()
    }
  }

  /**
   * Sends all documents of an embedded database to a server: those that are not there yet.
   *
   * @param url as the option `url`
   */
  async replicateTo(url: string): Promise<Replicated> {
    const { clean } = parseCouchUrl(url)
    if (!(this.#store instanceof PouchStore)) throw new StateError('ERR_CLOSED', 'only an embedded database can be sent elsewhere')
    try {
      await this.#store.prepare()
      return await this.#store.replicateTo(url)
    } catch (error) {
      throw new WriterError(this.name, null, clean((error as Error).message))
    } finally {
      await this.#store.close()
    }
  }

  async #send(): Promise<void> {
    let left: readonly Sending[] = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    try {
      for (let round = 0; left.length > 0 && round < MAX_ROUNDS; round++) left = await this.#round(left)
      this.#fail(left, 'somebody else writes this document all the time')
    } catch (error) {
      this.#fail(left, error)
    }
  }

  /** Sends documents; gives those that are to be sent once more. */
  async #round(batch: readonly Sending[]): Promise<readonly Sending[]> {
    const answers = await this.#patiently(() => this.#store.bulk(batch.map(({ document }) => document)))
    const conflicts: Sending[] = []
    for (const [i, sending] of batch.entries()) {
      const answer = answers[i]!
      if (answer.outcome === 'conflict') conflicts.push(sending)
      else if (answer.outcome === 'refused') this.#fail([sending], answer.reason)
      else this.#stats[sending.document._rev === undefined ? 'added' : 'updated'] += 1
    }
    return conflicts.length === 0 ? conflicts : this.#settle(conflicts)
  }

  /** Documents that are there: nothing is to be done where they are the same, else they are replaced. */
  async #settle(conflicts: readonly Sending[]): Promise<readonly Sending[]> {
    const found = await this.#patiently(() => this.#store.find(conflicts.map(({ document }) => document._id)))
    const differing = conflicts.filter(({ document }) => found.get(document._id)?.digest !== document.digest)
    this.#stats.existing += conflicts.length - differing.length
    for (const { document } of differing) {
      const rev = found.get(document._id)?.rev
      if (rev !== undefined) document._rev = rev
    }
    return differing
  }

  /** Asks again, with longer and longer pauses, as long as it may help. */
  async #patiently<T>(question: () => Promise<T>): Promise<T> {
    for (let pause = this.#retryDelay, left = this.#maxRetries; ; left--, pause = Math.min(pause * 2, LONGEST_WAIT))
      try {
        return await question()
      } catch (error) {
        if (left === 0 || !(error instanceof StoreError && error.mayPass)) throw error
        if (this.#stats.retries === 0) process.emitWarning(`${error.message}; trying again`, { type: 'RetryWarning' })
        this.#stats.retries += 1
        await sleep(pause)
      }
  }

  #fail(batch: readonly Sending[], reason: unknown): void {
    this.#stats.failed += batch.length
    for (const { stream } of batch) this.#context!.failed(stream, reason)
  }
}

function openStore({ url, path }: CouchDbOptions, timeout: number): DocumentStore {
  if ((url === undefined) === (path === undefined)) throw new OptionError('expected url, or else path')
  if (url !== undefined) return new CouchStore(parseCouchUrl(url), timeout)
  if (typeof path !== 'string' || path === '') throw new OptionError('path: expected the path of a folder')
  return new PouchStore(path)
}
