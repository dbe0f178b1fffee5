/** `tcpskein info`: what captures are and what is in them. */
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Option, type Command } from 'commander'
import {
  basicChain,
  observe,
  type CaptureInfo,
  type CaptureSource,
  type EngineName,
  type FlowError,
  type ObserveStats,
} from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { describe, toJson } from './info-text.js'
import { onInterrupt } from './interrupt.js'
import { addLiveOptions, captureSources, type LiveOptions } from './live.js'
import { wholeNumber } from './numbers.js'
import { addDecodingOptions, decodingOptions, engineOption, type DecodingOptions } from './reading.js'
import { openStdout } from './stdout.js'
import { Talkers, type Talker } from './talkers.js'

interface InfoOptions extends LiveOptions, DecodingOptions {
  json?: true
  top: number
  hash?: 'sha256'
  filter?: string
  engine: EngineName
}

/** Packets and octets of a kind. */
export interface Share {
  name: string
  packets: number
  /** Octets of IP packets, headers included; null where packets without IP are counted. */
  octets: number | null
}

/** All that is told of one capture. */
export interface Findings {
  capture: CaptureInfo
  /** Octets of the file; null of a stream. */
  fileBytes: number | null
  /** SHA-256 of the file, hexadecimal; null of a stream, and where it wasn't asked for. */
  sha256: string | null
  /** Packets that the filter chose; null where there is none. */
  matching: number | null
  protocols: Share[]
  flows: number
  talkers: Talker[]
  talkersApproximate: boolean
}

/** Adds the command; `exit` takes the status. */
export function infoCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('info')
    .description('tell what captures are and what is in them')
    .argument('[file...]', 'captures; - is standard input')
    .option('--json', 'one JSON object per capture and line')
    .option('--top <n>', 'how many addresses to list', wholeNumber, 5)
    .option('--filter <expression>', "packets that flows, protocols and addresses are of, in tcpdump's language; counts, rates and times stay the file's")
    .addOption(new Option('--hash <kind>', 'add a digest of the file').choices(['sha256']))
    .addOption(engineOption())
  addLiveOptions(addDecodingOptions(command)).action(async (files: string[], options: InfoOptions) => exit(await info(files, options)))
  withExamples(
    command,
    ['tcpskein info big.pcap', 'what is in it'],
    ['tcpskein info *.pcap --json', 'one object per capture'],
    ['tcpskein info big.pcap --top 20 --hash sha256', 'more addresses, and a digest of the file'],
  )
}

async function info(files: readonly string[], options: InfoOptions): Promise<number> {
  let status: number = EXIT.ok
  const stdout = openStdout()
  for (const [index, source] of captureSources(files, options).entries()) {
    const errors: FlowError[] = []
    const findings = await examine(source, options, errors)
    if (findings) {
      if (options.hash !== undefined) findings.sha256 = await digest(files[index] ?? '-')
      const text = options.json === true ? toJson(findings) : describe(findings)
      await stdout.write(index > 0 && options.json !== true ? `\n${text}` : text)
    }
    for (const error of errors) complain(error)
    if (errors.length > 0) status = EXIT.capture
  }
  await stdout.end()
  return status
}

/** Reads a capture through; undefined where it can't be opened. */
async function examine(
  source: CaptureSource,
  options: InfoOptions,
  errors: FlowError[],
): Promise<Findings | undefined> {
  const { top, filter, engine } = options
  const isFile = typeof source === 'string'
  const observer = observe(source, {
    chains: [basicChain()],
    engine,
    ...decodingOptions(options),
    onError: error => errors.push(error),
    ...(isFile && filter !== undefined ? { filter } : {}),
  })
  const release = isFile ? () => {} : onInterrupt(() => observer.finish())
  const protocols = new Protocols()
  const talkers = new Talkers()
  let flows = 0
  for await (const flow of observer) {
    flows++
    const [packets, octets] = [flow.pkt_fwd + flow.pkt_rev, flow.oct_fwd + flow.oct_rev]
    protocols.add(flow.ip_version, flow.proto, packets, octets)
    talkers.add(flow.sip, octets, packets)
    if (flow.dip !== flow.sip) talkers.add(flow.dip, octets, packets)
  }
  release()
  const capture = observer.captures[0]
  if (capture === undefined || capture.format === '') return undefined
  return {
    capture,
    sha256: null,
    fileBytes: isFile && source !== '-' ? (statSync(source, { throwIfNoEntry: false })?.size ?? null) : null,
    matching: isFile && filter !== undefined ? observer.stats.packets : null,
    protocols: [...protocols.shares(), ...dropped(observer.stats)],
    flows,
    talkers: talkers.top(top),
    talkersApproximate: talkers.approximate,
  }
}

/** Of the octets on disk, compressed or not, so that it can be compared with what other programs say. */
async function digest(file: string): Promise<string | null> {
  if (file === '-') return null
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Packets and octets by protocol. */
class Protocols {
  readonly #shares = new Map<string, Share & { octets: number }>(
    ['IPv4', 'IPv6', 'TCP', 'UDP', 'ICMP', 'ICMPv6', 'other IP'].map(name => [name, { name, packets: 0, octets: 0 }]),
  )

  add(version: number, proto: number, packets: number, octets: number): void {
    for (const name of [version === 4 ? 'IPv4' : 'IPv6', UPPER[proto] ?? 'other IP']) {
      const share = this.#shares.get(name)!
      share.packets += packets
      share.octets += octets
    }
  }

  shares(): Share[] {
    return [...this.#shares.values()].filter(share => share.packets > 0)
  }
}

const UPPER: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' }

/** Packets that belong to no flow, by reason. */
function dropped(stats: ObserveStats): Share[] {
  const reasons: [string, number][] = [
    ['no IP', stats.nonIp],
    ['unknown link type', stats.unknownLink],
    ['cut in a header', stats.cut],
    ['broken header', stats.broken],
    ['no ports', stats.shortKey],
  ]
  return reasons.filter(([, packets]) => packets > 0).map(([name, packets]) => ({ name, packets, octets: null }))
}
