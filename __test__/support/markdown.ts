// Code blocks of Markdown pages.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './places.js'

/** A fenced block. */
export interface Block {
  /** `docs/flows.md:12`: where it begins. */
  place: string
  /** The word behind the fence. */
  language: string
  text: string
  /** What a comment `<!-- test: types only, because … -->` or `<!-- test: not run, because … -->` before it asks for. */
  test: 'run' | 'types only' | 'not run'
  /** What must be printed: the text of a block `text` that follows, with nothing between. */
  output: string | null
}

const FENCE = /^(?:<!-- test: (types only|not run), because \S[^\n]* -->\n)?```(\w*)\n([^]*?)^```$(?:\n\n```text\n([^]*?)^```$)?/gm

/** All blocks of a page. */
export function blocksOf(page: string): Block[] {
  const all = readFileSync(join(root, page), 'utf8')
  return [...all.matchAll(FENCE)].map(({ index, 1: test, 2: language = '', 3: text = '', 4: output }) => ({
    place: `${page}:${all.slice(0, index).split('\n').length + (test === undefined ? 0 : 1)}`,
    language,
    text,
    test: (test as Block['test'] | undefined) ?? 'run',
    output: output ?? null,
  }))
}
