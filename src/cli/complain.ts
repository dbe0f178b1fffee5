/** What went wrong, for people: one line on stderr, whatever is in a file's name. */

/** Writes the line. */
export function complain(message: string): void {
  // Names of files may hold newlines and terminal commands.
  // oxlint-disable-next-line no-control-regex
  const line = message.replace(/[\u0000-\u001f\u007f-\u009f]/g, octet => JSON.stringify(octet).slice(1, -1))
  process.stderr.write(`tcpskein: ${line}\n`)
}
