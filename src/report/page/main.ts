/** The page: data in, sections out. The chosen connection stands in the address, so that Back works. */
import { Connections } from './connections.js'
import { Detail } from './detail.js'
import { announce, byId, el } from './dom.js'
import { showOverview } from './overview.js'
import { openSource, type Source } from './source.js'
import { Table } from './table.js'
import { openTheme } from './theme.js'

async function start(): Promise<void> {
  openTheme()
  const source = openSource()
  const [overview, columns] = await Promise.all([source.overview(), source.table()])
  const table = new Table(columns)
  const choose = (id: number) => {
    location.hash = `c${id}`
  }
  const connections = new Connections(table, choose)
  showOverview(overview, table, text => connections.search(text))
  const chosen = new Chosen(source, table, connections)
  addEventListener('hashchange', () => void chosen.follow())
  byId('main').setAttribute('aria-busy', 'false')
  document.documentElement.dataset.ready = 'true'
  await chosen.follow()
}

/** The connection that the address names. */
class Chosen {
  readonly #source: Source
  readonly #table: Table
  readonly #connections: Connections
  #detail: Detail | undefined
  #view = 0
  #asked = 0

  constructor(source: Source, table: Table, connections: Connections) {
    this.#source = source
    this.#table = table
    this.#connections = connections
  }

  async follow(): Promise<void> {
    const [, digits] = /^#c(\d+)$/.exec(location.hash) ?? []
    const section = byId('detail')
    this.#view = Math.max(0, this.#detail?.chosen ?? this.#view)
    this.#detail?.close()
    this.#detail = undefined
    const asked = ++this.#asked
    const row = digits === undefined ? undefined : this.#table.rowOf(Number(digits))
    section.hidden = row === undefined
    if (row === undefined) return
    this.#connections.select(Number(digits))
    section.replaceChildren(el('p', { class: 'caption' }, 'Reading the connection …'))
    section.setAttribute('aria-busy', 'true')
    try {
      const detail = await this.#source.detail(Number(digits))
      if (asked !== this.#asked) return
      this.#detail = new Detail(this.#table, row, detail, this.#view, () => this.#leave())
      section.dataset.connection = digits
    } catch (error) {
      if (asked === this.#asked) section.replaceChildren(el('p', { class: 'notice', role: 'alert' }, String(error)))
    }
    section.setAttribute('aria-busy', 'false')
    section.scrollIntoView({ block: 'nearest' })
    announce(`Connection ${digits}`)
  }

  #leave(): void {
    history.pushState(null, '', location.pathname + location.search)
    void this.follow()
    document.querySelector<HTMLElement>('.grid.connections')?.focus()
  }
}

try {
  await start()
} catch (error) {
  byId('notices').append(el('p', { class: 'notice', role: 'alert' }, `This page can't show its data: ${String(error)}`))
  byId('main').setAttribute('aria-busy', 'false')
}
