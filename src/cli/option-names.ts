/** Errors about the library's options, in the command line's names. */
import type { Command } from 'commander'
import { OptionError } from '../index.js'

/** Options that are called otherwise here; of all others only the spelling differs. */
const CALLED: Readonly<Record<string, string>> = {
  maxRows: 'rows',
  maxSegments: 'segments',
  headBytes: 'head',
  maxDetails: 'connections',
  maxBytes: 'maxSize',
  staleTimeout: 'stale',
  rotateBytes: 'rotateSize',
  rotateSeconds: 'rotateTime',
  maxFiles: 'files',
  ringBytes: 'ring',
  packetLimit: 'count',
  timeLimit: 'duration',
}

/** `maxFlows: expected …` as `--max-flows: expected …`, where the command has such an option. */
export function inOptionNames(error: OptionError, command: Command | undefined): OptionError {
  const [start = '', name = ''] = /^(\w+): /.exec(error.message) ?? []
  const wanted = CALLED[name] ?? name
  const option = command?.options.find(each => each.attributeName() === wanted)
  return option?.long ? new OptionError(`${option.long}: ${error.message.slice(start.length)}`, { cause: error }) : error
}
