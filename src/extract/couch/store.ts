/** What a writer of documents needs of a database, wherever that is. */
import type { PartDocument } from './document.js'

/** What became of one document of a batch. */
export type Stored =
  | { readonly outcome: 'stored' }
  /** A document with this id is there already. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'refused'; readonly reason: string }

/** What is known of a document that is there. */
export interface Found {
  readonly rev: string
  readonly digest: unknown
}

/** A database of documents. */
export interface DocumentStore {
  /** Makes the database where it isn't there. */
  prepare(): Promise<void>
  /** Stores documents; one answer for each, in their order. */
  bulk(documents: readonly PartDocument[]): Promise<Stored[]>
  /** What is there under these ids. */
  find(ids: readonly string[]): Promise<Map<string, Found>>
  close(): Promise<void>
}

/** A database didn't do what it was asked. The message holds no credentials, and there is no `cause` that might. */
export class StoreError extends Error {
  /** The same request may succeed later: the connection was lost, or the server is busy. */
  readonly mayPass: boolean

  constructor(message: string, mayPass: boolean) {
    super(message)
    this.mayPass = mayPass
  }
}
