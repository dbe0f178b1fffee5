// Runs the command line in a process of its own.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './places.js'

export const program = join(root, 'bin', 'tcpskein.js')

/** What a run came to. */
export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs `tcpskein` with these arguments; the output is piped. */
export async function run(args: readonly string[], input?: Buffer): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  const text = async (stream: NodeJS.ReadableStream) => {
    let all = ''
    for await (const chunk of stream.setEncoding('utf8')) all += chunk as string
    return all
  }
  // Where the program ends before it has read all, the pipe breaks: that is its right.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

/** Runs a line of shell in which `tcpskein` is the program. */
export function shell(line: string): Run {
  const script = `set -o pipefail; tcpskein() { "${process.execPath}" "${program}" "$@"; }; ${line}`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** The program of that name can be run. */
export const has = (name: string): boolean => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
