/** What went wrong: one line on stderr, for people or, after `complainInJson`, for programs. */
import { hintFor } from './hints.js'

let json = false

/** From now on a line is an object: `{"error":{"code":…,"message":…,"hint":…}}`; what isn't known is left out. */
export function complainInJson(wanted: boolean): void {
  json = wanted
}

/** Writes the line, with a hint where there is one. */
export function complain(problem: string | Error): void {
  const message = typeof problem === 'string' ? problem : problem.message
  const code = typeof problem === 'string' ? undefined : (problem as { code?: unknown }).code
  const hint = hintFor(message)
  if (json) writeObject({ error: { code, message, hint } })
  else process.stderr.write(`tcpskein: ${forPeople(message)}${hint === undefined ? '' : ` (${oneLine(hint)})`}\n`)
}

/** Writes a bad usage; `text` may have a second line, with what was meant. */
export function complainOfUsage(text: string): void {
  const [message = '', ...rest] = text.replace(/^error: /, '').trim().split('\n')
  if (json) writeObject({ error: { code: 'ERR_USAGE', message, hint: rest.join(' ').replace(/^\((.*)\)$/, '$1') || undefined } })
  else process.stderr.write(`tcpskein: ${[message, ...rest].join('\n')}\n`)
}

/** Writes what should be known and is no error. */
export function remark({ message, code }: Error & { code?: string }): void {
  if (json) writeObject({ warning: { code, message } })
  else process.stderr.write(`tcpskein: ${oneLine(message)}\n`)
}

/** Writes what goes with an error and is for people only. */
export function explain(text: string): void {
  if (!json) process.stderr.write(text)
}

/** Writes an object as one line on stderr. */
export function writeObject(object: object): void {
  process.stderr.write(`${JSON.stringify(object, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}\n`)
}

/** What is wrong with a filter has a picture below it, line by line; all else is one line. */
function forPeople(message: string): string {
  return message.startsWith('option filter: ') ? message.split('\n').map(oneLine).join('\n') : oneLine(message)
}

/** Names of files may hold newlines and terminal commands. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, octet => JSON.stringify(octet).slice(1, -1))
}
