// docs/command-line.md names every command with its files and options, and nothing else. Where this fails, the rows that
// are missing are printed as they must stand there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createProgram } from '../src/cli/program.js'
import { cellsOf, meaningOf, usageOf } from './support/command-rows.js'
import { root } from './support/places.js'

const page = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8')
const { commands } = createProgram(() => {})

/** Sections of the page: a heading of level three, and what is below it. */
const sections = page.split(/^### /m).slice(1).map(text => {
  const [, title = '', body = ''] = /^(.*)\n([^]*)$/.exec(text)!
  return { title, body }
})

/** Rows of options in a section, and the commands that they are for: in a column, in a line, or the heading. */
function rowsOf({ title, body }: (typeof sections)[number]): [command: string, row: string][] {
  const taken = /^Taken by: (.*)\.$/m.exec(body)?.[1] ?? title
  return [...body.matchAll(/^\| (`-.*)$/gm)].flatMap(([, line]) => {
    const [flags, meaning, fallback, names = taken] = line!.split('|').slice(0, -1).map(cell => cell.trim())
    return names.split(', ').map((name): [string, string] => [name, [flags, meaning, fallback].join(' | ')])
  })
}

const listed = sections.flatMap(rowsOf)

for (const command of commands) {
  const name = command.name()
  test(`${name}: each option has its row`, t => {
    const rows = listed.filter(([of]) => of === name).map(([, row]) => row)
    t.deepEqual(rows.toSorted(), command.options.map(option => cellsOf(option).join(' | ')).toSorted())
  })

  test(`${name}: how it is called, and what its files are`, t => {
    const body = sections.find(({ title }) => title === name)?.body ?? ''
    t.true(body.startsWith(`\n\`${usageOf(command)}\`: ${command.description()}.\n`), usageOf(command))
    for (const argument of command.registeredArguments) t.true(body.includes(`\n\`${argument.name()}\`: ${meaningOf(argument)}.\n`), argument.name())
  })
}

test('no rows of commands that are not there', t => {
  const names = new Set(commands.map(command => command.name()))
  t.deepEqual(listed.filter(([name]) => !names.has(name)), [])
})

test('exit statuses are those of the help', t => {
  const help: string[] = []
  const program = createProgram(() => {}).exitOverride().configureOutput({ writeOut: text => help.push(text) })
  t.throws(() => program.parse(['--help'], { from: 'user' }))
  const statuses = [...help.join('').matchAll(/^ {2}(\d) {2}\S/gm)].map(([, status]) => status)
  t.deepEqual([...page.matchAll(/^\| (\d) \|/gm)].map(([, status]) => status), statuses)
})
