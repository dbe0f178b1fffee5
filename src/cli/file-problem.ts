/** What Node says of files, in this program's words. */
import { OutputError } from '../index.js'

/** `ENOENT: no such file or directory, open 'x'` as `x: cannot open: no such file or directory`; nothing for other errors. */
export function fileProblem(error: unknown): OutputError | undefined {
  const said = error instanceof OutputError ? error.cause : error
  const { message = '', path } = (said ?? {}) as { message?: string; path?: string }
  const [, reason, call] = /^E[A-Z0-9]+: (.+?), (\w+)/.exec(message) ?? []
  return reason === undefined ? undefined : new OutputError(`${path ?? 'output'}: cannot ${call}: ${reason}`, { cause: error })
}
