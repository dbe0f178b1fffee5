// Every code block of the README and the guides: TypeScript is type-checked as strictly as the sources and run, commands
// are run as they are written, and so are the examples in the command line's help. All of it in a folder that holds the
// shipped capture under the names that the pages use.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { createProgram } from '../src/cli/program.js'
import { has, program, run as runCommand, type Run } from './support/cli.js'
import { blocksOf, type Block } from './support/markdown.js'
import { root, samplePath } from './support/places.js'

const PAGES = ['README.md', ...readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
const blocks = PAGES.flatMap(blocksOf)
const CAPTURES = ['capture.pcap', 'big.pcap', 'small.pcap', 'capture-1.pcap', 'capture-2.pcap', 'eth0.pcap', 'eth1.pcap', 'growing.pcap']

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-docs-'))
/** Below the root, so that the blocks find the package by its name. */
const sources = join(root, 'target', `docs-test-${process.pid}`)

test.before(() => {
  mkdirSync(sources, { recursive: true })
  for (const name of CAPTURES) cpSync(samplePath, join(folder, name))
  if (has('zstd')) {
    for (const name of ['big.pcap', 'capture.pcapng'])
      spawnSync('zstd', ['-q', samplePath, '-o', join(folder, `${name}.zst`)])
  }
  // The guides' own example runs where the shipped capture is.
  mkdirSync(join(folder, 'examples', 'captures'), { recursive: true })
  cpSync(samplePath, join(folder, 'examples', 'captures', 'sample.pcap'))
})

test.after.always(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(sources, { recursive: true, force: true })
})

const fileOf = ({ place }: Block): string => join(sources, `${place.replace(/\W+/g, '-')}.ts`)

/** Runs a line of shell where `tcpskein` is the program; one that would wait for Ctrl-C gets it. */
function runLine(line: string): Promise<Run> {
  const shim = `tcpskein() { "${process.execPath}" "${program}" "$@"; }; set -o pipefail; `
  const waits = /--follow\b/.test(line)
  const text = waits ? line.replace(/^tcpskein/, `exec "${process.execPath}" "${program}"`) : shim + line
  return new Promise((settle, reject) => {
    const child = spawn('bash', ['-c', text], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', chunk => (stdout += String(chunk)))
    child.stderr.on('data', chunk => (stderr += String(chunk)))
    child.on('error', reject)
    child.on('close', status => settle({ status, stdout, stderr }))
    if (waits) setTimeout(() => child.kill('SIGINT'), 5000)
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

async function runs(t: ExecutionContext, line: string): Promise<void> {
  const other = ELSEWHERE[line]
  if (other !== undefined) {
    t.true(existsSync(join(root, other)) || existsSync(join(root, '__test__', other)), `${line}: ${other}`)
    return
  }
  if (/ -i \w|^sudo /.test(line)) {
    t.log(`skipped: ${line}: it needs an interface and the right to capture; live.spec.ts has such`)
    t.pass()
    return
  }
  const missing = /^(\w+)/.exec(line)?.[1] ?? ''
  if (['zstdcat', 'xzcat', 'lz4cat'].includes(missing) && !has(missing)) {
    t.log(`skipped: ${line}: there is no ${missing}`)
    return
  }
  const { status, stdout, stderr } = await runLine(line)
  t.is(status, 0, `${line}\n${stdout}${stderr}`)
}

test('types: every TypeScript block compiles', t => {
  t.timeout(300_000)
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
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', config], { cwd: root, encoding: 'utf8' })
  t.is(status, 0, stdout)
  t.true(all.length >= 10, `${all.length} blocks`)
})

const register = pathToFileURL(fileURLToPath(import.meta.resolve('@oxc-node/core/register'))).href

for (const block of blocks.filter(({ language }) => language === 'ts')) {
  if (block.test !== 'run') continue
  test(`${block.place} runs`, async t => {
    t.timeout(300_000)
    const file = fileOf(block).replace(/\.ts$/, '.run.ts')
    writeFileSync(file, block.text)
    const { status, stdout, stderr } = await runLine(`"${process.execPath}" --import=${register} "${file}"`)
    t.is(status, 0, stderr)
    if (block.output !== null) t.is(stdout, block.output)
  })
}

const onUnix = process.platform === 'win32' || !has('bash') ? test.skip : test

for (const block of blocks.filter(({ language, test: how }) => language === 'sh' && how === 'run')) {
  onUnix(`${block.place}: its commands`, async t => {
    t.timeout(300_000)
    for (const line of commandsOf(block.text)) await runs(t, line)
  })
}

for (const command of createProgram(() => {}).commands.map(each => each.name())) {
  onUnix(`tcpskein ${command} --help: its examples`, async t => {
    t.timeout(300_000)
    const { stdout } = await runCommand([command, '--help'])
    const [, examples = ''] = /\nExamples:\n([^]*)$/.exec(stdout) ?? []
    for (const line of commandsOf(examples)) await runs(t, line)
  })
}

test('blocks are of a known language, so that none is left out', t => {
  for (const { place, language } of blocks) t.true(['ts', 'sh', 'text', 'json', 'py'].includes(language), `${place}: ${language || 'no language'}`)
})

test('links within the pages lead somewhere', t => {
  const missing = PAGES.flatMap(page => {
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

test('the index names every guide', t => {
  const index = readFileSync(join(root, 'docs', 'README.md'), 'utf8')
  for (const page of PAGES.filter(page => page.startsWith('docs/') && page !== 'docs/README.md'))
    t.true(index.includes(`](${page.slice('docs/'.length)})`), page)
})
