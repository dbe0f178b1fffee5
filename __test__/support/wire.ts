// Two hosts in network namespaces of their own with a cable between them, made and taken away by a test.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs a line of shell. */
export function sh(line: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e; ${line}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout
}

/** Why namespaces can't be used here, or null. */
export function obstacle(tools: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = ['ip', 'ethtool', ...tools].filter(tool => spawnSync('which', [tool]).status !== 0)
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  const probe = `tskein${process.pid}probe`
  const { status } = spawnSync('ip', ['netns', 'add', probe])
  spawnSync('ip', ['netns', 'del', probe])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** Builds the program that stands between two hosts and makes trouble, in `folder`: its path. */
export function lossyWire(folder: string): string {
  const built = join(folder, 'lossy-wire')
  sh(`gcc -O2 -o "${built}" "${join(import.meta.dirname, 'lossy-wire.c')}"`)
  return built
}

let wires = 0

/** Hosts a (10.98.0.1) and b (10.98.0.2), each with an interface `e0`. */
export class Wire {
  readonly a: string
  readonly b: string
  readonly #names: string[]
  readonly #children: ChildProcess[] = []

  /** @param trouble a program (see lossy-wire.c) that stands between the two and makes trouble; else it is one cable */
  constructor(trouble?: readonly string[]) {
    const name = (end: string) => `tskein${process.pid}l${wires}${end}`
    const [a, b, m] = [name('a'), name('b'), name('m')] as const
    wires++
    this.#names = trouble === undefined ? [a, b] : [a, b, m]
    ;[this.a, this.b] = [a, b]
    for (const each of this.#names) sh(`ip netns add ${each}; ip netns exec ${each} sysctl -qw net.ipv6.conf.all.disable_ipv6=1`)
    if (trouble === undefined) sh(`ip -n ${a} link add name e0 type veth peer name e0 netns ${b}`)
    else this.#between(m, trouble)
    for (const [host, address] of [[a, '10.98.0.1'], [b, '10.98.0.2']] as const) {
      // Frames as on a real wire: no larger than the MTU, with their checksums.
      sh(`ip netns exec ${host} ethtool -K e0 tso off gso off gro off tx off >/dev/null`)
      sh(`ip -n ${host} addr add ${address}/24 dev e0; ip -n ${host} link set lo up; ip -n ${host} link set e0 up`)
    }
  }

  #between(m: string, [program = '', ...args]: readonly string[]): void {
    for (const [host, end] of [[this.a, 'left'], [this.b, 'right']] as const)
      sh(`ip -n ${m} link add name ${end} type veth peer name e0 netns ${host}; ip netns exec ${m} ethtool -K ${end} gro off >/dev/null; ip -n ${m} link set ${end} up`)
    this.start(m, program, 'left', 'right', ...args)
  }

  /** Starts a program on a host. */
  start(host: string, command: string, ...args: string[]): Inside {
    const child = spawn('ip', ['netns', 'exec', host, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.push(child)
    return new Inside(child)
  }

  /** Ends what was started and takes the hosts away, whose cable goes with them. */
  remove(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL')
    for (const name of this.#names) spawnSync('ip', ['netns', 'del', name])
  }
}

/** Milliseconds that a program may take to say something, or to end. */
const PATIENCE = 60_000

/** A program on a host, and what it says. */
export class Inside {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout!.on('data', (chunk: Buffer) => (this.stdout += String(chunk)))
    child.stderr!.on('data', (chunk: Buffer) => (this.stderr += String(chunk)))
    this.#closed = once(child, 'close')
  }

  get said(): string {
    return this.stdout + this.stderr
  }

  /** The process in the namespace: `ip` becomes the program that it starts. */
  get pid(): number {
    return this.#child.pid!
  }

  get status(): number | null {
    return this.#child.exitCode
  }

  /** Waits until it says so. */
  async says(word: string | RegExp): Promise<void> {
    const patience = Date.now() + PATIENCE
    while (this.said.search(word) < 0) {
      if (Date.now() > patience) throw new Error(`doesn't say ${String(word)}: ${this.said}`)
      if (this.#child.exitCode !== null) throw new Error(`ended early: ${this.said}`)
      await sleep(5)
    }
  }

  /** Waits for its end, perhaps having told it to stop. */
  async ended(signal?: NodeJS.Signals): Promise<this> {
    if (signal) this.#child.kill(signal)
    const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE)
    await this.#closed
    clearTimeout(late)
    if (this.#child.signalCode === 'SIGKILL') throw new Error(`doesn't end: ${this.said}`)
    return this
  }
}
