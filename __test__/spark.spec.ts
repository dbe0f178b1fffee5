// The Spark package: its own tests in local mode, on captures whose parts need each other. Where there is no pyspark this is
// skipped, and says so; TCPSKEIN_PYTHON names a Python that has it.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { program } from './support/cli.js'
import { jobFixtures } from './support/partition-captures.js'
import { root, samplePath } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-spark-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const python = process.env['TCPSKEIN_PYTHON'] ?? 'python3'
const place = join(root, 'integrations', 'spark')
const env = {
  ...process.env,
  PYTHONPATH: place,
  PYTHONDONTWRITEBYTECODE: '1',
  PYSPARK_PYTHON: python,
  SPARK_LOCAL_IP: '127.0.0.1',
  TCPSKEIN_COMMAND: `${process.execPath} ${program}`,
  TCPSKEIN_SPARK_CAPTURES: folder,
}

/** Why Spark can't be used here; null where it can. */
function missing(): string | null {
  for (const [command, ...args] of [[python, '-c', 'import pyspark, pyarrow'], ['java', '-version']] as const)
    if (spawnSync(command, args, { stdio: 'ignore' }).status !== 0) return `skipped: no ${command === 'java' ? 'java' : 'pyspark'} here`
  return null
}

/** Runs a program while ava goes on. */
function run(command: string, args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise(settle =>
    execFile(command, args, { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => settle({ status: error === null ? 0 : 1, stdout, stderr })),
  )
}

function sparkTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  test.serial(title, async t => {
    t.timeout(900_000)
    const reason = missing()
    if (reason === null) return body(t)
    t.log(reason)
    t.pass()
  })
}

/** Runs tests of the package; what they skip, and why, is shown. */
async function unittest(t: ExecutionContext, file: string, ran: RegExp): Promise<void> {
  const { status, stderr } = await run(python, ['-m', 'unittest', 'discover', '--verbose', '--pattern', file, join(place, 'tests')])
  t.is(status, 0, stderr.slice(-4000))
  t.regex(stderr, ran)
  for (const [line] of stderr.matchAll(/.*skipped .*/g)) t.log(line)
}

test.before(() => {
  writeFileSync(join(folder, 'sample.pcap'), readFileSync(samplePath))
  for (const { name, octets } of jobFixtures())
    if (name === 'fragments over parts' || name === 'an elephant') writeFileSync(join(folder, `${name.replace(/\W+/g, '-')}.pcap`), octets)
})

sparkTest('local mode: records equal those of one program', async t => {
  await unittest(t, 'test_local.py', /Ran [5-9] tests/)
})

sparkTest('local-cluster mode, workers killed in the midst of tasks: records equal those of one program', async t => {
  await unittest(t, 'test_cluster.py', /Ran 2 tests/)
})

sparkTest('from laptop to cluster: the one command of the guide', async t => {
  const out = join(folder, 'flows')
  const script = join(place, 'submit.py')
  const { stdout } = await run(python, ['-c', 'import pyspark, os; print(os.path.dirname(pyspark.__file__))'])
  const conf = ['--master', 'local[2]', '--conf', 'spark.ui.enabled=false']
  const submit = await run(join(stdout.trim(), 'bin', 'spark-submit'), [...conf, script, 'flows', out, samplePath])
  t.is(submit.status, 0, submit.stderr.slice(-4000))
  const count = await run(python, ['-c', `import pyarrow.parquet as pq; print(pq.read_table(${JSON.stringify(out)}).num_rows)`])
  t.is(count.stdout.trim(), '11', count.stderr)
})
