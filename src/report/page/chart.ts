/**
 * A plot over time: axes, zoom and cursor are uPlot's; what is in it draws itself. With the keyboard: left and right move,
 * plus and minus zoom, 0 shows all.
 */
import UPlot from 'uplot'
import { el } from './dom.js'
import { seconds } from './format.js'
import { color, onTheme } from './theme.js'

/** Least and greatest. */
export type Range = readonly [least: number, most: number]

/** Where a plot is drawn. */
export interface Canvas {
  readonly context: CanvasRenderingContext2D
  /** Canvas pixels in a CSS pixel. */
  readonly ratio: number
  /** Seconds to canvas pixels. */
  readonly x: (seconds: number) => number
  readonly y: (value: number) => number
  /** What is in view, seconds. */
  readonly view: Range
  readonly color: (name: string) => string
}

/** What is plotted. */
export interface Plot {
  /** What it shows, for who can't see it. */
  readonly label: string
  readonly x: Range
  readonly y: Range
  /** A value of the vertical axis. */
  readonly format: (value: number) => string
  readonly draw: (canvas: Canvas) => void
  /** What stands at a place: told under the plot. */
  readonly readout?: (x: number, y: number, reach: Range) => string
  readonly height?: number
}

/** One plot in its place. */
export class Chart {
  readonly element: HTMLDivElement
  readonly #plot: Plot
  readonly #readout = el('p', { class: 'readout' })
  readonly #place: HTMLDivElement
  readonly #release: () => void
  readonly #observer: ResizeObserver
  #chart: UPlot | undefined

  constructor(plot: Plot) {
    this.#plot = plot
    this.#place = el('div', {
      class: 'plot',
      tabindex: 0,
      role: 'img',
      'aria-label': `${plot.label} Arrow keys move, plus and minus zoom, 0 shows all.`,
      keydown: event => this.#key(event as KeyboardEvent),
    })
    this.element = el('div', {}, this.#place, plot.readout ? this.#readout : null)
    this.#release = onTheme(() => this.#chart?.redraw(false, true))
    this.#observer = new ResizeObserver(() => this.#fit())
    this.#observer.observe(this.#place)
    if (plot.readout) this.#readout.textContent = HINT
  }

  /** Takes it away. */
  close(): void {
    this.#release()
    this.#observer.disconnect()
    this.#chart?.destroy()
    this.element.remove()
  }

  #fit(): void {
    const width = Math.floor(this.#place.clientWidth)
    if (width < 50) return
    const height = this.#plot.height ?? 430
    if (this.#chart) this.#chart.setSize({ width, height })
    else this.#chart = new UPlot(this.#options(width, height), [[...this.#plot.x], [...this.#plot.y]], this.#place)
  }

  #options(width: number, height: number): UPlot.Options {
    const { x, y, format } = this.#plot
    const axis = { stroke: () => color('muted'), grid: { stroke: () => color('faint'), width: 1 }, ticks: { stroke: () => color('line'), width: 1, size: 4 }, font: '11px system-ui, sans-serif' }
    return {
      width,
      height,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: true, y: true, uni: 24, dist: 4 }, points: { show: false }, y: this.#plot.readout !== undefined },
      scales: { x: { time: false, range: (_, least, most) => (least === most ? [...x] : [least, most]) }, y: { range: (u, least, most) => this.#vertical(u, least, most) } },
      axes: [
        { ...axis, size: 28, space: 80, values: (_, splits, __, ___, step) => splits.map(value => seconds(value, step)) },
        { ...axis, size: 68, gap: 4, space: 34, values: (_, splits) => splits.map(value => format(value)) },
      ],
      series: [{}, { paths: () => null, points: { show: false }, min: y[0], max: y[1] } as UPlot.Series],
      hooks: { draw: [u => this.#draw(u)], setCursor: [u => this.#point(u)] },
    }
  }

  /** All of it, unless a part was chosen. */
  #vertical(_: UPlot, least: number | null, most: number | null): [number, number] {
    const { y } = this.#plot
    return least === null || most === null || least === most ? [...y] as [number, number] : [least, most]
  }

  #draw(u: UPlot): void {
    const { left, top, width, height } = u.bbox
    const context = u.ctx
    context.save()
    context.beginPath()
    context.rect(left, top, width, height)
    context.clip()
    this.#plot.draw({
      context,
      ratio: devicePixelRatio,
      x: value => u.valToPos(value, 'x', true),
      y: value => u.valToPos(value, 'y', true),
      view: [u.scales.x!.min ?? 0, u.scales.x!.max ?? 0],
      color,
    })
    context.restore()
  }

  #point(u: UPlot): void {
    const { readout } = this.#plot
    const [left, top] = [u.cursor.left ?? -1, u.cursor.top ?? -1]
    if (!readout) return
    if (left < 0 || top < 0) {
      this.#readout.textContent = HINT
      return
    }
    const reach = [u.posToVal(8, 'x') - u.posToVal(0, 'x'), Math.abs(u.posToVal(8, 'y') - u.posToVal(0, 'y'))] as const
    this.#readout.textContent = readout(u.posToVal(left, 'x'), u.posToVal(top, 'y'), reach) || HINT
  }

  #key(event: KeyboardEvent): void {
    const scale = this.#chart?.scales.x
    if (scale?.min === undefined || scale.max === undefined || scale.min === null || scale.max === null) return
    const [least, most] = this.#plot.x
    const width = scale.max - scale.min
    const center = (scale.min + scale.max) / 2
    const moves: Record<string, Range> = {
      ArrowLeft: [scale.min - width / 5, scale.max - width / 5],
      ArrowRight: [scale.min + width / 5, scale.max + width / 5],
      '+': [center - width / 4, center + width / 4],
      '=': [center - width / 4, center + width / 4],
      '-': [center - width, center + width],
      '0': [least, most],
    }
    const to = moves[event.key]
    if (to === undefined) return
    event.preventDefault()
    const size = Math.min(to[1] - to[0], most - least)
    const min = Math.max(least, Math.min(to[0], most - size))
    this.#chart!.setScale('x', { min, max: min + size })
    if (event.key === '0') this.#chart!.setScale('y', { min: this.#plot.y[0], max: this.#plot.y[1] })
  }
}

const HINT = 'Drag to zoom, double-click to see all again.'

/** A line through points, from one to the next at right angles where `steps`. */
export function drawLine(canvas: Canvas, name: string, xs: ArrayLike<number>, ys: ArrayLike<number>, steps: boolean): void {
  const { context, ratio, x, y } = canvas
  context.beginPath()
  context.strokeStyle = canvas.color(name)
  context.lineWidth = 1.25 * ratio
  let before = Number.NaN
  for (let i = 0; i < xs.length; i++) {
    const [px, py] = [x(xs[i]!), y(ys[i]!)]
    if (Number.isNaN(py)) continue
    if (Number.isNaN(before)) context.moveTo(px, py)
    else {
      if (steps) context.lineTo(px, before)
      context.lineTo(px, py)
    }
    before = py
  }
  context.stroke()
}

/** Small squares. */
export function drawDots(canvas: Canvas, name: string, xs: ArrayLike<number>, ys: ArrayLike<number>, size = 3): void {
  const { context, ratio, x, y } = canvas
  const side = size * ratio
  context.fillStyle = canvas.color(name)
  for (let i = 0; i < xs.length; i++) context.fillRect(x(xs[i]!) - side / 2, y(ys[i]!) - side / 2, side, side)
}
