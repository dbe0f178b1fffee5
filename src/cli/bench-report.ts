/** What was measured, as a table for people and as JSON for keeping. */
import { arch, cpus, release, totalmem, type } from 'node:os'
import type { Timed } from './bench-measure.js'

/** One capture's measurements. */
export interface Measured {
  readonly capture: string
  /** Octets of the file. */
  readonly bytes: number
  readonly timed: readonly Timed[]
}

/** The machine, without its name, and the versions. */
export function machine(version: string): object {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    versions: { tcpskein: version, node: process.versions.node, v8: process.versions.v8 },
  }
}

const HEADER = ['job', 'min s', 'median s', 'ns/packet', 'packets/s', 'to read', 'to native']

/** Lines for people: the fastest run says what the code costs, since other load only ever adds. */
export function table({ capture, bytes, timed }: Measured): string {
  const packets = timed.find(({ found }) => found['packets'] !== undefined)?.found['packets'] ?? 0
  const rows = timed.map(one => row(one, timed, packets))
  const widths = HEADER.map((name, i) => Math.max(name.length, ...rows.map(cells => cells[i]!.length)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`
  const size = `${(bytes / 2 ** 20).toFixed(0)} MiB, ${packets.toLocaleString('en')} packets`
  return [`${capture}: ${size}`, ...[HEADER, ...rows].map(line), ''].join('\n')
}

function row({ job, kind, samples }: Timed, all: readonly Timed[], packets: number): string[] {
  const best = Math.min(...samples)
  const bestOf = (name: string) => Math.min(...(all.find(other => other.job === name)?.samples ?? [Number.NaN]))
  const ratio = (to: number) => (Number.isNaN(to) ? '' : (best / to).toFixed(2))
  const perPacket = kind === 'read' || packets === 0
  return [
    job,
    best.toFixed(3),
    median(samples).toFixed(3),
    perPacket ? '' : ((best * 1e9) / packets).toFixed(1),
    perPacket ? '' : Math.round(packets / best).toLocaleString('en'),
    ratio(bestOf('plain read')),
    kind === 'read' ? '' : ratio(bestOf(`${kind}, native`)),
  ]
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
