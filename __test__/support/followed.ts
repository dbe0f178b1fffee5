// What a follower calls back, in a form that tests compare.
import { TCPStreamFollower, type FollowerInput, type FollowerOptions, type TcpStream } from '../../src/index.js'

/** Octets as text. */
export const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')

/** One line for a callback. */
function line(kind: string, stream: TcpStream): string {
  const { identifier, direction, offset, chunk, gap, endReason, finished } = stream
  if (kind === 'data') return `${identifier} ${direction} ${offset} ${text(chunk)}`
  if (kind === 'gap') return `${identifier} ${direction} gap ${gap!.join('+')}`
  return `${identifier} end ${endReason}${finished ? ' finished' : ''}`
}

/** A follower that writes down its callbacks, and the streams that ended. */
export function recording(options: FollowerOptions = {}): { follower: TCPStreamFollower; lines: string[]; ended: TcpStream[] } {
  const [lines, ended] = [[] as string[], [] as TcpStream[]]
  const follower = new TCPStreamFollower({
    ...options,
    onData(stream) {
      lines.push(line('data', stream))
      return options.onData?.(stream)
    },
    onGap(stream) {
      lines.push(line('gap', stream))
      return options.onGap?.(stream)
    },
    onEnd(stream) {
      lines.push(line('end', stream))
      ended.push(stream)
      return options.onEnd?.(stream)
    },
  })
  return { follower, lines, ended }
}

/** Feeds and closes: the lines. */
export async function follow(input: FollowerInput, options: FollowerOptions = {}): Promise<string[]> {
  const { follower, lines } = recording(options)
  await follower.feed(input)
  await follower.close()
  return lines
}
