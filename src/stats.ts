/** Counters of runs that follow each other. */

/** The counters of a run with those of the runs before it; link types that are told apart are met by number. */
export function addStats<Stats extends object>(before: Stats | undefined, now: Stats): Stats {
  if (before === undefined) return now
  const [a, b] = [before as Counters, now as Counters]
  const sums = Object.keys(b).map(name => [name, (a[name] ?? 0) + b[name]!] as const)
  return { ...Object.fromEntries(sums), ...addLinkTypes(a, b) } as unknown as Stats
}

type Counters = Readonly<Record<string, number>>

const TYPE = 'unknownLinkType'
const PACKETS = 'unknownLinkPackets'

/** `unknownLinkType1` is no counter: it says what `unknownLinkPackets1` counts. Those that find no room go. */
function addLinkTypes(...runs: readonly Counters[]): Counters {
  const places = Object.keys(runs[0]!)
    .filter(name => name.startsWith(TYPE))
    .map(name => name.slice(TYPE.length))
  const packets = new Map<number, number>()
  for (const run of runs)
    for (const place of places) {
      const [type, count] = [run[TYPE + place] ?? 0, run[PACKETS + place] ?? 0]
      if (count > 0) packets.set(type, (packets.get(type) ?? 0) + count)
    }
  const found = [...packets]
  return Object.fromEntries(
    places.flatMap((place, at) => {
      const [type, count] = found[at] ?? [0, 0]
      return [[TYPE + place, type] as const, [PACKETS + place, count] as const]
    }),
  )
}
