/**
 * A table of any length: an ARIA grid whose rows are made for what is in view, from columns. The grid has the focus and
 * names its active row; arrows, page keys, Home and End move, Enter opens.
 */
import { el } from './dom.js'
import { number } from './format.js'

/** One column. */
export interface GridColumn {
  readonly name: string
  /** Its head. */
  readonly title: string
  /** What the head stands for, in full. */
  readonly hint?: string
  /** A CSS track, such as `70px` or `minmax(90px, 2fr)`. */
  readonly track: string
  /** Numbers stand to the right. */
  readonly numeric?: boolean
  readonly text: (row: number) => string
  /** A class for the cell. */
  readonly tone?: (row: number) => '' | 'zero' | 'bad' | 'mono'
}

/** What a grid needs. */
export interface GridOptions {
  readonly label: string
  readonly className: string
  readonly columns: readonly GridColumn[]
  /** Least width of all columns together, pixels. */
  readonly width: number
  /** Most rows that it will show: it is no higher than they need. */
  readonly mostRows: number
  /** What an empty grid says. */
  readonly nothing: string
  readonly onOpen?: (row: number) => void
  readonly onSort?: (column: string) => void
}

const ROW = 22
const HEAD = 27
/** Browsers give up on elements that are much higher; beyond, the scroll bar stands for more rows than pixels. */
const MOST_HEIGHT = 8_000_000

let grids = 0

/** The grid. */
export class Grid {
  readonly element: HTMLDivElement
  readonly #options: GridOptions
  readonly #body: HTMLDivElement
  readonly #spacer: HTMLDivElement
  readonly #nothing: HTMLDivElement
  readonly #heads = new Map<string, HTMLDivElement>()
  readonly #id = `grid${grids++}`
  #lines: HTMLDivElement[] = []
  #rows: ArrayLike<number> = []
  #active = -1
  #selected = -1
  #frame = 0

  constructor(options: GridOptions) {
    this.#options = options
    const head = el('div', { role: 'row', class: 'grid-row', 'aria-rowindex': 1 }, ...options.columns.map(column => this.#head(column)))
    this.#body = el('div', { role: 'rowgroup', class: 'grid-body' })
    this.#spacer = el('div', { role: 'presentation' }, this.#body)
    this.#nothing = el('div', { class: 'nothing', hidden: true }, options.nothing)
    this.element = el(
      'div',
      { role: 'grid', class: `grid ${options.className}`, tabindex: 0, 'aria-label': options.label, 'aria-colcount': options.columns.length, 'aria-multiselectable': 'false' },
      el('div', { role: 'rowgroup', class: 'grid-head' }, head),
      this.#nothing,
      this.#spacer,
    )
    this.element.style.setProperty('--columns', options.columns.map(({ track }) => track).join(' '))
    this.element.style.maxHeight = `${Math.max(3, options.mostRows) * ROW + HEAD + 16}px`
    for (const part of [head.parentElement!, this.#spacer]) part.style.minWidth = `${options.width}px`
    this.#spacer.style.position = 'relative'
    this.element.addEventListener('scroll', () => this.#later(), { passive: true })
    this.element.addEventListener('keydown', event => this.#key(event))
    this.#body.addEventListener('click', event => this.#click(event))
    new ResizeObserver(() => this.render()).observe(this.element)
  }

  #head({ name, title, hint, numeric }: GridColumn): HTMLDivElement {
    const { onSort } = this.#options
    const inner = onSort
      ? el('button', { type: 'button', title: hint ?? title, 'aria-label': hint ?? title, click: () => onSort(name) }, title)
      : el('span', { title: hint ?? title }, title)
    const head = el('div', { role: 'columnheader', class: numeric === true ? 'n' : '', ...(onSort ? { 'aria-sort': 'none' } : {}) }, inner)
    this.#heads.set(name, head)
    return head
  }

  /** Which rows it has, in order. */
  show(rows: ArrayLike<number>): void {
    const active = this.#active >= 0 ? this.#rows[this.#active] : undefined
    this.#rows = rows
    this.#active = active === undefined ? -1 : placeOf(rows, active)
    this.element.setAttribute('aria-rowcount', String(rows.length + 1))
    this.#spacer.style.height = `${Math.min(MOST_HEIGHT, rows.length * ROW)}px`
    this.#nothing.hidden = rows.length > 0
    this.render()
  }

  /** Marks the column that rows are sorted by. */
  sorted(name: string, descending: boolean): void {
    for (const [each, head] of this.#heads)
      head.setAttribute('aria-sort', each === name ? (descending ? 'descending' : 'ascending') : 'none')
  }

  /** Marks a row, and brings it into view. */
  select(row: number): void {
    this.#selected = row
    this.#active = placeOf(this.#rows, row)
    if (this.#active >= 0) this.#reveal(this.#active)
    this.render()
  }

  #later(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.render())
  }

  /** Pixels that rows are scrolled by, as if all were there. */
  #offset(): number {
    const [all, here] = [this.#rows.length * ROW, this.element.clientHeight - HEAD]
    if (all <= MOST_HEIGHT) return this.element.scrollTop
    return (this.element.scrollTop / (MOST_HEIGHT - here)) * (all - here)
  }

  /** Fills the rows in view. */
  render(): void {
    this.#frame = 0
    const offset = this.#offset()
    const first = Math.max(0, Math.floor(offset / ROW))
    const count = Math.max(0, Math.min(this.#rows.length - first, Math.ceil(this.element.clientHeight / ROW) + 1))
    while (this.#lines.length < count) this.#lines.push(this.#line())
    const shift = this.element.scrollTop - offset
    for (const [i, line] of this.#lines.entries()) {
      const place = first + i
      line.hidden = i >= count
      if (i < count) this.#fill(line, place, place * ROW + shift)
    }
    const active = this.#active - first
    if (active >= 0 && active < count) this.element.setAttribute('aria-activedescendant', `${this.#id}-${this.#active}`)
    else this.element.removeAttribute('aria-activedescendant')
  }

  #line(): HTMLDivElement {
    const line = el('div', { role: 'row', class: 'grid-row' })
    for (const { numeric } of this.#options.columns) line.append(el('div', { role: 'gridcell', class: numeric === true ? 'n' : '' }))
    this.#body.append(line)
    return line
  }

  #fill(line: HTMLDivElement, place: number, top: number): void {
    const row = this.#rows[place]!
    line.id = `${this.#id}-${place}`
    line.dataset.place = String(place)
    line.style.transform = `translateY(${top}px)`
    line.setAttribute('aria-rowindex', String(place + 2))
    line.setAttribute('aria-selected', String(row === this.#selected))
    line.classList.toggle('active', place === this.#active)
    let cell = line.firstElementChild as HTMLElement | null
    for (const { text, tone, numeric } of this.#options.columns) {
      const words = text(row)
      if (cell!.textContent !== words) cell!.textContent = words
      const className = `${numeric === true ? 'n ' : ''}${tone?.(row) ?? ''}`
      if (cell!.className !== className) cell!.className = className
      cell = cell!.nextElementSibling as HTMLElement | null
    }
  }

  #reveal(place: number): void {
    const here = this.element.clientHeight - HEAD
    const [all, offset, top] = [this.#rows.length * ROW, this.#offset(), place * ROW]
    const wanted = top < offset ? top : top + ROW > offset + here ? top + ROW - here : offset
    this.element.scrollTop = all <= MOST_HEIGHT ? wanted : (wanted / (all - here)) * (MOST_HEIGHT - here)
  }

  #move(place: number): void {
    if (this.#rows.length === 0) return
    this.#active = Math.max(0, Math.min(this.#rows.length - 1, place))
    this.#reveal(this.#active)
    this.render()
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.element || event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor((this.element.clientHeight - HEAD) / ROW) - 1)
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }
    const step = steps[event.key]
    if (step !== undefined) this.#move(step === Infinity ? this.#rows.length - 1 : step === -Infinity ? 0 : Math.max(this.#active, step > 0 ? -1 : 0) + step)
    else if ((event.key === 'Enter' || event.key === ' ') && this.#active >= 0) this.#open(this.#active)
    else return
    event.preventDefault()
  }

  #click(event: Event): void {
    const line = (event.target as Element).closest<HTMLElement>('[role="row"]')
    if (line?.dataset.place === undefined) return
    this.#active = Number(line.dataset.place)
    this.#open(this.#active)
    this.render()
  }

  #open(place: number): void {
    const row = this.#rows[place]
    if (row !== undefined) this.#options.onOpen?.(row)
  }
}

function placeOf(rows: ArrayLike<number>, row: number): number {
  return Array.prototype.indexOf.call(rows, row)
}

/** A number's cell: nothing stands out where it is 0. */
export const zeroTone = (value: number | null, bad = false): '' | 'zero' | 'bad' => (value === 0 || value === null ? 'zero' : bad ? 'bad' : '')

/** A number or a dash. */
export const numberOrDash = (value: number | null): string => (value === null ? '–' : number(value))
