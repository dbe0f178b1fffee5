/** A database of one's own in a folder, through the package pouchdb, which is the user's to install. */
import { OptionError } from '../../errors.js'
import type { PartDocument } from './document.js'
import { StoreError, type DocumentStore, type Found, type Stored } from './store.js'

/** What is used of a PouchDB. */
interface Pouch {
  bulkDocs(documents: readonly PartDocument[]): Promise<readonly PouchRow[]>
  allDocs(options: object): Promise<{ rows: readonly PouchDoc[] }>
  info(): Promise<object>
  close(): Promise<void>
  readonly replicate: { to(target: string, options?: object): Promise<Replicated> }
}

interface PouchRow {
  readonly ok?: boolean
  readonly status?: number
  readonly name?: string
  readonly message?: string
}

interface PouchDoc {
  readonly id?: string
  readonly doc?: { readonly _rev: string; readonly digest?: unknown } | null
}

/** What a replication came to. */
export interface Replicated {
  /** Documents that were sent. */
  readonly docs_written: number
  /** Documents that the target refused. */
  readonly doc_write_failures: number
}

/** A PouchDB in a folder. */
export class PouchStore implements DocumentStore {
  readonly #path: string
  #pouch: Pouch | undefined

  constructor(path: string) {
    this.#path = path
  }

  async prepare(): Promise<void> {
    const PouchDB = await load()
    this.#pouch ??= new PouchDB(this.#path)
    await this.#ask(pouch => pouch.info())
  }

  async bulk(documents: readonly PartDocument[]): Promise<Stored[]> {
    const rows = await this.#ask(pouch => pouch.bulkDocs(documents))
    return rows.map(({ ok, status, name, message }): Stored => {
      if (ok === true) return { outcome: 'stored' }
      return status === 409 ? { outcome: 'conflict' } : { outcome: 'refused', reason: `${name ?? 'error'}: ${message ?? ''}` }
    })
  }

  async find(ids: readonly string[]): Promise<Map<string, Found>> {
    const { rows } = await this.#ask(pouch => pouch.allDocs({ keys: ids, include_docs: true }))
    const found = new Map<string, Found>()
    for (const { id, doc } of rows) if (id !== undefined && doc) found.set(id, { rev: doc._rev, digest: doc.digest })
    return found
  }

  /** Sends all documents to a database elsewhere. */
  replicateTo(url: string): Promise<Replicated> {
    return this.#ask(pouch => pouch.replicate.to(url))
  }

  async close(): Promise<void> {
    await this.#pouch?.close()
    this.#pouch = undefined
  }

  async #ask<T>(question: (pouch: Pouch) => Promise<T>): Promise<T> {
    try {
      return await question(this.#pouch!)
    } catch (error) {
      throw new StoreError(`${this.#path}: ${(error as { message?: unknown }).message as string}`, false)
    }
  }
}

async function load(): Promise<new (path: string) => Pouch> {
  const name = 'pouchdb'
  try {
    const { default: PouchDB } = (await import(name)) as { default: new (path: string) => Pouch }
    return PouchDB
  } catch (error) {
    throw new OptionError(`an embedded database needs the package ${name}: npm install ${name}`, { cause: error })
  }
}
