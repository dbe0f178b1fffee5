/** The formats that flows are written in, by name, and the folder that they go to. */
import { mkdirSync, statSync } from 'node:fs'
import { FileExistsError, OptionError } from '../errors.js'
import { PcapDumper, PcapngDumper } from './dump-capture.js'
import { JsonDumper, NdjsonDumper } from './dump-json.js'
import { PlistDumper } from './dump-plist.js'
import { TreeDumper } from './dump-tree.js'
import type { TraceDumper, TraceDumperClass } from './dumper.js'
import { outputError } from './files.js'

/** Writes nothing. */
class NoDumper implements TraceDumper {
  dump(): void {}
}

/** A format. */
export interface Format {
  readonly dumper: TraceDumperClass
  /** What file names end with; '' = there is no file. */
  readonly extension: string
}

const NO_FORMAT: Format = { dumper: NoDumper, extension: '' }

/** The formats, by name. */
const FORMATS = new Map<string, Format>([
  ['pcap', { dumper: PcapDumper, extension: '.pcap' }],
  ['cap', { dumper: PcapDumper, extension: '.pcap' }],
  ['pcapng', { dumper: PcapngDumper, extension: '.pcapng' }],
  ['json', { dumper: JsonDumper, extension: '.json' }],
  ['ndjson', { dumper: NdjsonDumper, extension: '.ndjson' }],
  ['plist', { dumper: PlistDumper, extension: '.plist' }],
  ['xml', { dumper: PlistDumper, extension: '.plist' }],
  ['tree', { dumper: TreeDumper, extension: '.txt' }],
  ['txt', { dumper: TreeDumper, extension: '.txt' }],
  ['text', { dumper: TreeDumper, extension: '.txt' }],
])

/** The names of the formats there are now. */
export const formatNames = (): string[] => [...FORMATS.keys()]

/** Adds a format, or replaces one, which a `RegistryWarning` tells. */
export function registerFormat(name: string, dumper: TraceDumperClass, extension: string): void {
  if (typeof name !== 'string' || name === '') throw new OptionError(`format: expected a name, not ${String(name)}`)
  if (typeof dumper !== 'function') throw new OptionError('dumper: expected a class with a method dump(frame, name)')
  if (typeof extension !== 'string' || !/^\.?[\w-]+(\.[\w-]+)*$/.test(extension))
    throw new OptionError(`ext: expected what file names end with, such as '.txt', not '${String(extension)}'`)
  if (FORMATS.has(name))
    process.emitWarning(`dumper ${name} is registered already; it is replaced`, { type: 'RegistryWarning' })
  FORMATS.set(name, { dumper, extension: extension.startsWith('.') ? extension : `.${extension}` })
}

/**
 * Finds a format, and makes the folder for its files. What `TraceFlow.makeFout` does.
 *
 * @throws {@link FileExistsError} where `fout` is no folder, {@link OutputError} where it can't be made
 */
export function openFormat(fout: string, name: string | null): Format {
  const format = name === null ? NO_FORMAT : FORMATS.get(name)
  if (format === undefined) {
    const message = `Unsupported output format: ${name}; disabled file output feature`
    process.emitWarning(message, { type: 'FormatWarning' })
  }
  if (format === undefined || format === NO_FORMAT) {
    if (isFile(fout)) process.emitWarning(`${fout}: the file exists already`, { type: 'FileWarning' })
    return NO_FORMAT
  }
  try {
    mkdirSync(fout, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw outputError(fout, 'create', error)
    throw new FileExistsError(`${fout}: the file exists already, and is no folder`, { cause: error })
  }
  return format
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false
}
