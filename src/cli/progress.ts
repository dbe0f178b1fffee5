/** A progress line on a terminal: percent, octets, packets a second, time left. None when stderr is not a terminal. */
import { statSync } from 'node:fs'
import { SingleBar } from 'cli-progress'

/** What is watched. */
export interface Progressing {
  inputBytes: number
  packets: number
}

/** A line that is being shown, and a clock. */
export interface Progress {
  /** Takes the line away; the clock stops. */
  stop(): void
  /** Seconds from start to stop. */
  seconds(): number
}

const MIB = 2 ** 20

/** Shows how far `current` is in `files`, ten times a second; files that `grow` have no end to come near to. */
export function openProgress(
  files: readonly string[],
  current: () => Progressing,
  wanted: boolean,
  grow = false,
): Progress {
  const start = performance.now()
  let end: number | undefined
  const seconds = () => ((end ?? performance.now()) - start) / 1000
  const bar = wanted && process.stderr.isTTY ? openBar(grow ? null : totalSize(files)) : null
  const timer = bar ? setInterval(() => bar(current(), seconds()), 100) : undefined
  return {
    seconds,
    stop() {
      end ??= performance.now()
      clearInterval(timer)
      bar?.(null, seconds())
    },
  }
}

function openBar(total: number | null): (now: Progressing | null, seconds: number) => void {
  const format =
    total === null
      ? '{done} MiB  {rate} packets/s'
      : '{bar} {percentage}%  {done}/{size} MiB  {rate} packets/s  {left} left'
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true, barsize: 24 })
  const size = Math.round((total ?? 0) / MIB)
  bar.start(total ?? 1, 0, { done: 0, size, rate: 0, left: '-' })
  return (now, seconds) => {
    if (now === null) return bar.stop()
    const left = total === null || now.inputBytes === 0 ? '-' : remaining((total / now.inputBytes - 1) * seconds)
    const rate = Math.round(now.packets / Math.max(seconds, 0.001)).toLocaleString('en')
    bar.update(total === null ? 0 : now.inputBytes, { done: Math.round(now.inputBytes / MIB), size, rate, left })
  }
}

function remaining(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Octets of all files, or null where one of them is a stream or isn't there. */
function totalSize(files: readonly string[]): number | null {
  let total = 0
  for (const file of files) {
    const found = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false })
    if (found?.isFile() !== true) return null
    total += found.size
  }
  return total
}
