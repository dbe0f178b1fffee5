/** Where the page's data comes from: from its own elements, or from the server that sent it. */
import { decodeContainer, type Container } from '../container.js'
import { EMBEDDED, type DetailMeta, type OverviewMeta, type TableMeta } from '../shapes.js'

/** The data. */
export interface Source {
  overview(): Promise<Container<OverviewMeta>>
  table(): Promise<Container<TableMeta>>
  /** Null where the page doesn't hold it. */
  detail(id: number): Promise<Container<DetailMeta> | null>
}

/** As the page says. */
export function openSource(): Source {
  const word = document.querySelector<HTMLMetaElement>('meta[name="tcpskein-source"]')?.content
  const octetsOf = word === EMBEDDED ? embedded : served
  const get = async <Meta>(name: string): Promise<Container<Meta> | null> => {
    const octets = await octetsOf(name)
    return octets === null ? null : decodeContainer<Meta>(await inflate(octets))
  }
  const must = async <Meta>(name: string): Promise<Container<Meta>> => {
    const found = await get<Meta>(name)
    if (found === null) throw new Error(`the page has no ${name}`)
    return found
  }
  return { overview: () => must('overview'), table: () => must('table'), detail: id => get(`c${id}`) }
}

async function embedded(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const text = document.querySelector(`#${name}`)?.textContent
  if (text === undefined || text === null) return null
  const binary = atob(text)
  const octets = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) octets[i] = binary.charCodeAt(i)
  return octets
}

async function served(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const answer = await fetch(`data/${name}`, { credentials: 'same-origin' })
  if (answer.status === 404) return null
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the server answered ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}

async function inflate(octets: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
