// Takes a report's page apart: the data that stands in it.
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { decodeContainer, type Container } from '../../src/report/container.js'
import type { DetailMeta, OverviewMeta, TableMeta } from '../../src/report/shapes.js'

/** What a page holds. */
export interface Page {
  readonly text: string
  readonly overview: Container<OverviewMeta>
  readonly table: Container<TableMeta>
  readonly details: ReadonlyMap<number, Container<DetailMeta>>
}

/** Reads a page. */
export function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8')
  const parts = new Map(
    Array.from(text.matchAll(/<script type="application\/octet-stream" id="(\w+)">([^<]*)<\/script>/g), ([, id, data]) => [id!, data!]),
  )
  const open = <Meta>(id: string) => openContainer<Meta>(Buffer.from(parts.get(id) ?? '', 'base64'))
  const ids = [...parts.keys()].filter(id => /^c\d+$/.test(id))
  return {
    text,
    overview: open<OverviewMeta>('overview'),
    table: open<TableMeta>('table'),
    details: new Map(ids.map(id => [Number(id.slice(1)), open<DetailMeta>(id)])),
  }
}

/** A container as the page gets it. */
export function openContainer<Meta>(octets: Uint8Array): Container<Meta> {
  return decodeContainer<Meta>(new Uint8Array(inflateRawSync(octets)))
}
