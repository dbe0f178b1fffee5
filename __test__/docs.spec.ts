// Every code block of the README and the guides: TypeScript is type-checked as strictly as the sources and run, commands
// are run as they are written, from the top of a page to its end, and so are the examples in the command line's help. Each
// page has a folder that holds the shipped capture under the names that the pages use.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { createProgram } from '../src/cli/program.js'
import { has, program, run as runCommand, type Run } from './support/cli.js'
import { blocksOf, type Block } from './support/markdown.js'
import { root, samplePath } from './support/places.js'

const PAGES = ['README.md', ...readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
/** Pages whose blocks are not run; their links are looked at. */
const OTHER_PAGES = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'bench/README.md', 'examples/README.md', '__test__/fixtures/README.md']
const blocks = PAGES.flatMap(blocksOf)
const CAPTURES = ['capture.pcap', 'big.pcap', 'small.pcap', 'capture-1.pcap', 'capture-2.pcap', 'eth0.pcap', 'eth1.pcap', 'growing.pcap']

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-docs-'))
/** Below the root, so that the blocks find the package by its name. */
const sources = join(root, 'target', `docs-test-${process.pid}`)

let running = 0
const waiting: (() => void)[] = []

/** As many pages at a time as there are processors: started all at once, none would end for minutes. */
async function inTurn(t: ExecutionContext, milliseconds: number, job: () => Promise<void>): Promise<void> {
  if (running >= availableParallelism()) await new Promise<void>(resolve => waiting.push(resolve))
  else running += 1
  t.timeout(milliseconds)
  try {
    await job()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

/** A folder with the captures. */
function workplace(name: string): string {
  const path = join(folder, name.replace(/\W+/g, '-'))
  mkdirSync(path)
  for (const capture of CAPTURES) cpSync(samplePath, join(path, capture))
  if (has('zstd')) {
    for (const capture of ['big.pcap', 'capture.pcapng']) spawnSync('zstd', ['-q', samplePath, '-o', join(path, `${capture}.zst`)])
  }
  // The guides' own example runs where the shipped capture is.
  mkdirSync(join(path, 'examples', 'captures'), { recursive: true })
  cpSync(samplePath, join(path, 'examples', 'captures', 'sample.pcap'))
  return path
}

test.before(() => {
  mkdirSync(sources, { recursive: true })
})

test.after.always(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(sources, { recursive: true, force: true })
})

const fileOf = ({ place }: Block): string => join(sources, `${place.replace(/\W+/g, '-')}.ts`)

/** Runs a line of shell where `tcpskein` is the program. */
function runLine(cwd: string, line: string): Promise<Run> {
  if (/^tcpskein serve\b/.test(line)) return runUntilSaid(cwd, line, /^http:\S+\n/)
  if (/--follow\b/.test(line)) return runForAWhile(cwd, line, 5000)
  return new Promise((settle, reject) => {
    const text = `tcpskein() { "${process.execPath}" "${program}" "$@"; }; set -o pipefail; ${line}`
    const child = spawn('bash', ['-c', text], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    hear(child, settle, reject)
  })
}

/** Collects what a child says until it ends. */
function hear(child: ChildProcessByStdio<null, Readable, Readable>, settle: (run: Run) => void, reject: (reason: Error) => void): void {
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => (stdout += String(chunk)))
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  child.on('error', reject)
  child.on('close', status => settle({ status, stdout, stderr }))
}

/** A command in a process that signals reach. */
function start(cwd: string, line: string) {
  const text = line.replace(/^tcpskein/, `exec "${process.execPath}" "${program}"`)
  return spawn('bash', ['-c', text], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Presses Ctrl-C as soon as the output begins like this, after two minutes whatever it is. */
function runUntilSaid(cwd: string, line: string, ready: RegExp): Promise<Run> {
  return new Promise((settle, reject) => {
    const child = start(cwd, line)
    const late = setTimeout(() => child.kill('SIGINT'), 120_000)
    let said = ''
    child.stdout.on('data', chunk => {
      said += String(chunk)
      if (ready.test(said)) child.kill('SIGINT')
    })
    hear(child, run => {
      clearTimeout(late)
      settle(ready.test(run.stdout) ? run : { ...run, status: null })
    }, reject)
  })
}

/**
 * Presses Ctrl-C after a time, for a command that says nothing while it waits. Where it wasn't ready for that yet, which
 * the signal's ending it shows, it gets a longer time.
 */
function runForAWhile(cwd: string, line: string, milliseconds: number): Promise<Run> {
  return new Promise((settle, reject) => {
    const child = start(cwd, line)
    const late = setTimeout(() => child.kill('SIGINT'), milliseconds)
    hear(child, run => {
      clearTimeout(late)
      settle(child.signalCode === 'SIGINT' && milliseconds < 80_000 ? runForAWhile(cwd, line, 2 * milliseconds) : run)
    }, reject)
  })
}

/** Commands that other tests run as they are written, and which. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm install tcpskein': 'install.spec.ts',
  'npm run demo': 'fresh-clone.spec.ts',
  'npm test': '.ci/run',
}

/** Commands of a block, without comments; a line that ends with a backslash goes on. */
const commandsOf = (text: string): string[] =>
  text.replaceAll('\\\n', '').split('\n').map(line => line.replace(/(^|\s)# .*$/, '').trim()).filter(line => line !== '')

/** A command on an interface needs one, and a privilege: that it is understood must do. */
async function isUnderstood(t: ExecutionContext, line: string): Promise<void> {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain!)
  const tree = createProgram(() => {})
  for (const command of tree.commands) command.exitOverride().action(() => {})
  await t.notThrowsAsync(tree.parseAsync(words.slice(1), { from: 'user' }), line)
}

async function runs(t: ExecutionContext, cwd: string, line: string): Promise<void> {
  if (/^tcpskein .*\s(-i|--interface)\s/.test(line)) return isUnderstood(t, line)
  const other = ELSEWHERE[line]
  if (other !== undefined) {
    t.true(existsSync(join(root, other)) || existsSync(join(root, '__test__', other)), `${line}: ${other}`)
    return
  }
  if (line.startsWith('sudo ')) {
    t.log(`skipped: ${line}: it changes the system`)
    return
  }
  const missing = /^(\w+)/.exec(line)?.[1] ?? ''
  if (['zstdcat', 'xzcat', 'lz4cat'].includes(missing) && !has(missing)) {
    t.log(`skipped: ${line}: there is no ${missing}`)
    return
  }
  const { status, stdout, stderr } = await runLine(cwd, line)
  t.is(status, 0, `${line}\n${stdout}${stderr}`)
}

test('types: every TypeScript block compiles', t => inTurn(t, 300_000, async () => {
  const all = blocks.filter(block => block.language === 'ts' && block.test !== 'not run')
  for (const block of all) {
    // A block without import or export would share its names with the others.
    const isModule = /^(import|export) /m.test(block.text)
    writeFileSync(fileOf(block), isModule ? block.text : `${block.text}export {}\n`)
  }
  const compilerOptions = { noEmit: true, allowJs: false, checkJs: false, noUnusedLocals: false, paths: { tcpskein: [join(root, 'src', 'index.ts')] } }
  const config = join(sources, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = await new Promise<Run>((settle, reject) => {
    hear(spawn(process.execPath, [tsc, '-p', config], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }), settle, reject)
  })
  t.is(status, 0, stdout)
  t.true(all.length >= 10, `${all.length} blocks`)
}))

const register = pathToFileURL(fileURLToPath(import.meta.resolve('@oxc-node/core/register'))).href

async function runBlock(t: ExecutionContext, cwd: string, block: Block): Promise<void> {
  if (block.language === 'sh') for (const line of commandsOf(block.text)) await runs(t, cwd, line)
  if (block.language !== 'ts') return
  const file = fileOf(block).replace(/\.ts$/, '.run.ts')
  writeFileSync(file, block.text)
  const { status, stdout, stderr } = await runLine(cwd, `"${process.execPath}" --import=${register} "${file}"`)
  t.is(status, 0, `${block.place}\n${stderr}`)
  if (block.output !== null) t.is(stdout, block.output, block.place)
}

const onUnix = process.platform === 'win32' || !has('bash') ? test.skip : test

for (const page of PAGES) {
  onUnix(`${page} runs`, t => inTurn(t, 600_000, async () => {
    const cwd = workplace(page)
    for (const block of blocks.filter(({ place, test: how }) => place.startsWith(`${page}:`) && how === 'run')) await runBlock(t, cwd, block)
    t.pass()
  }))
}

for (const command of createProgram(() => {}).commands.map(each => each.name())) {
  onUnix(`tcpskein ${command} --help: its examples`, t => inTurn(t, 300_000, async () => {
    const { stdout } = await runCommand([command, '--help'])
    const [, examples = ''] = /\nExamples:\n([^]*)$/.exec(stdout) ?? []
    const cwd = workplace(`help-${command}`)
    for (const line of commandsOf(examples)) await runs(t, cwd, line)
  }))
}

test('blocks are of a known language, so that none is left out', t => {
  for (const { place, language } of blocks) t.true(['ts', 'sh', 'text', 'json', 'py', 'python', 'sql'].includes(language), `${place}: ${language || 'no language'}`)
})

test('links within the pages lead somewhere', t => {
  const missing = [...PAGES, ...OTHER_PAGES].flatMap(page => {
    const text = readFileSync(join(root, page), 'utf8').replace(/```[^]*?```/g, '')
    const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(match => match[1]!)
    return links.filter(link => !leads(page, link)).map(link => `${page}: ${link}`)
  })
  t.deepEqual(missing, [])
})

/** The file is there, and so is the heading. */
function leads(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
  if (!existsSync(file)) return false
  if (anchor === undefined) return true
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(match => match[1]!)
  return headings.some(heading => heading.toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-') === anchor)
}

test('commands in tables are understood', async t => {
  const commands = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\| `(tcpskein [^`]+)` \|/gm)].map(match => match[1]!)
  t.true(commands.length > 10)
  for (const line of commands.flatMap(text => text.split('\\|'))) await isUnderstood(t, line.trim())
})

test('ARCHITECTURE.md names every folder', t => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const { stdout } = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  if (!stdout) {
    t.log('skipped: this is no git checkout')
    t.pass()
    return
  }
  const paths = [...new Set(stdout.split('\n').filter(path => path.includes('/') && !path.startsWith('.')).map(dirname))]
  const named = (under: string, name: (folder: string) => string) => {
    const folders = new Set(paths.filter(path => path.startsWith(under)).map(path => path.slice(under.length).split('/')[0]!))
    for (const folder of folders) if (folder !== '') t.true(page.includes(name(folder)), under + folder)
  }
  named('', folder => `\`${folder}`)
  named('crates/', folder => (folder === 'core' ? '`core::' : `\`crates/${folder}\``))
  named('crates/core/src/', folder => `\`core::${folder}\``)
  named('src/', folder => `src/${folder}\``)
})

test('examples/README.md names every example', t => {
  const page = readFileSync(join(root, 'examples', 'README.md'), 'utf8')
  // The test of the guides puts their programs there for a while.
  const names = readdirSync(join(root, 'examples')).filter(name => /^(?!guide-).*\.ts$/.test(name))
  for (const name of names) t.true(page.includes(`](${name})`), name)
})

test('bench/README.md names every program', t => {
  const page = readFileSync(join(root, 'bench', 'README.md'), 'utf8')
  const programs = [
    ...readdirSync(join(root, 'bench')).filter(name => name !== 'README.md'),
    ...readdirSync(join(root, 'crates', 'core', 'benches')).map(name => `crates/core/benches/${name}`),
  ]
  for (const program of programs) t.true(page.includes(`\`${program}\``), program)
})

test('the index names every guide', t => {
  const index = readFileSync(join(root, 'docs', 'README.md'), 'utf8')
  for (const page of PAGES.filter(page => page.startsWith('docs/') && page !== 'docs/README.md'))
    t.true(index.includes(`](${page.slice('docs/'.length)})`), page)
})
