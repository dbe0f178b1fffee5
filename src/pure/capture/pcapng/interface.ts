/** Interface description and statistics blocks (draft sections 4.2 and 4.6). */
import { text, type InterfaceFacts, type InterfaceStatistics } from '../info.js'
import type { Clock } from '../timestamp.js'
import { u64 } from './bytes.js'

/** What a packet needs to know of its interface. */
export interface Interface {
  readonly link: number
  readonly snaplen: number
  readonly clock: Clock
  /** Its description, if that was kept. */
  readonly described: InterfaceFacts | null
}

/** Takes an option of an interface description block. */
export function setInterfaceOption(one: InterfaceFacts, code: number, value: Uint8Array, bigEndian: boolean): void {
  switch (code) {
    case 2:
      one.name = text(value)
      break
    case 3:
      one.description = text(value)
      break
    case 8:
      // A value that is too short says nothing.
      one.speed = value.length >= 8 ? u64(value, 0, bigEndian) : null
      break
    case 9:
      if (value.length > 0) one.resolution = value[0]!
      break
    case 11:
      one.filter = filterText(value)
      break
    case 13:
      one.fcsLen = value[0] ?? null
      break
    case 14:
      if (value.length >= 8) one.offsetSeconds = BigInt.asIntN(64, u64(value, 0, bigEndian))
      break
  }
}

/** The filter's first octet says what it is: 0 an expression, 1 a compiled program. */
function filterText(value: Uint8Array): string | null {
  if (value.length === 0) return null
  const rest = value.subarray(1)
  if (value[0] === 0) return text(rest)
  return value[0] === 1 ? `compiled, ${rest.length >> 3} instructions` : `of unknown kind ${value[0]}`
}

const COUNTERS: Readonly<Record<number, keyof InterfaceStatistics>> = {
  4: 'received',
  5: 'dropped',
  6: 'filterAccepted',
  7: 'osDropped',
  8: 'delivered',
}

/** Takes an option of a statistics block; each one replaces what the block before said. */
export function setStatisticsOption(one: InterfaceStatistics, code: number, value: Uint8Array, bigEndian: boolean): void {
  const counter = COUNTERS[code]
  if (counter !== undefined && value.length >= 8) one[counter] = u64(value, 0, bigEndian)
}
