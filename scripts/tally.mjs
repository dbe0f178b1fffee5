// Counts tests in what test runners print. Each tally is fed line by line, says whether a line is worth showing, and
// holds `passed`, `failed`, `skipped` (one line each) and `broken` (why the run broke without a failed test, or null).

const SAYS_SKIPPED = /\bskip(s|ped|ping)?\b/i

/** What both runners share. */
class Tally {
  passed = 0
  failed = 0
  /** @type {string[]} */
  skipped = []
  /** @type {string | null} */
  broken = null

  /** @param {string} line of the runner's stdout @returns {boolean} whether to show it */
  output(line) {
    return line !== null
  }

  /** @param {string} _line of the runner's stderr */
  errorOutput(_line) {}

  /**
   * The run is over. A bad end that no failed test explains is a failure of its own.
   *
   * @param {string | null} problem how it ended, null when well
   */
  end(problem) {
    if (problem === null || this.failed > 0) return
    this.failed = 1
    this.broken = problem
  }
}

/** Reads `cargo test -- --show-output`. */
export class CargoTally extends Tally {
  /** Where we are: in the list of results, in the output of the tests that passed, or in the list of their names. */
  #part = 'results'

  /** @override @param {string} line @returns {boolean} */
  output(line) {
    const result = /^test result: .*?(\d+) passed; (\d+) failed;/.exec(line)
    if (result) {
      this.passed += Number(result[1])
      this.failed += Number(result[2])
      this.#part = 'results'
      return true
    }
    if (line === 'failures:') this.#part = 'results'
    if (line === 'successes:') {
      this.#part = this.#part === 'results' ? 'successes' : 'names'
      return false
    }
    const ignored = /^test (.+) \.\.\. ignored(?:, (.*))?$/.exec(line)
    if (ignored) this.skipped.push(`${ignored[1]} is ignored${ignored[2] ? `: ${ignored[2]}` : ''}`)
    if (this.#part === 'successes' && SAYS_SKIPPED.test(line) && !line.startsWith('----')) {
      this.skipped.push(line.trim())
    }
    // The names of the tests that passed are in the results already.
    return this.#part !== 'names' && !(this.#part === 'successes' && line === '')
  }

  /** @override @param {string} line */
  errorOutput(line) {
    // 101 is the harness's way to say that tests failed; those are counted. Anything else is a crash, which is not.
    if (/process didn't exit successfully: .*\((?!exit status: 101\)|exit code: 101\))/.test(line)) {
      this.failed += 1
      this.broken = 'a test program crashed'
    }
  }
}

/** Reads `ava --tap`. */
export class AvaTally extends Tally {
  /** @override @param {string} line @returns {boolean} */
  output(line) {
    const point = /^(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)\b.*)?$/.exec(line)
    if (point) this.#count(point[1] !== undefined, point[2] ?? '', point[3])
    // What a test logs with t.log() is indented: `#   text`. The totals, `# skip 1`, are not.
    else if (/^# {2,}/.test(line) && SAYS_SKIPPED.test(line)) this.skipped.push(line.replace(/^# +/, ''))
    return true
  }

  /**
   * @param {boolean} bad
   * @param {string} title
   * @param {string | undefined} directive
   */
  #count(bad, title, directive) {
    if (directive) this.skipped.push(`${title} (${directive})`)
    else if (bad) this.failed += 1
    else this.passed += 1
  }
}
