// What a bundle loads only when it is used looks as if it were there from the start.
import test from 'ava'
import * as sources from '../src/index.js'
import { laterClass, laterFunction } from '../src/later.js'

class Base {
  static made = 0
  #name: string
  constructor(name: string) {
    this.#name = name
    Base.made++
  }
  name(): string {
    return this.#name
  }
}

const module = { Base, add: (a: number, b: number) => a + b }
let loads = 0
const load = () => {
  loads++
  return module
}

test.serial('nothing is loaded before it is used', t => {
  const add = laterFunction(load, 'add')
  const Later = laterClass(load, 'Base')
  t.is(loads, 0)
  t.is(add.name, 'add')
  t.is(add(2, 3), 5)
  t.is(new Later('x').name(), 'x')
  t.true(loads > 0)
})

test('a class can be extended, asked for its instances, and for what is static', t => {
  const Later = laterClass(load, 'Base')
  class Own extends Later {
    override name(): string {
      return `own ${super.name()}`
    }
  }
  const own = new Own('x')
  t.is(own.name(), 'own x')
  t.true(own instanceof Own)
  t.true(own instanceof Later)
  t.true(own instanceof Base)
  t.true(new Base('y') instanceof Later)
  t.false(({}) instanceof Later)
  t.is(Later.name, 'Base')
  Later.made = 0
  t.is(new Later('z').name(), 'z')
  t.is(Base.made, 1)
  t.throws(() => (Later as unknown as () => void)(), { instanceOf: TypeError })
})

test('the bundle gives what the sources give, each of its kind', async t => {
  const bundle = (await import(new URL('../dist/index.js', import.meta.url).href)) as Readonly<Record<string, unknown>>
  const kinds = (module: Readonly<Record<string, unknown>>) =>
    Object.entries(module).map(([name, value]) => {
      const known = typeof value === 'function' ? `function ${value.name}` : JSON.stringify(value)
      return `${name}: ${known}`
    })
  t.deepEqual(kinds(bundle).toSorted(), kinds(sources).toSorted())
})
