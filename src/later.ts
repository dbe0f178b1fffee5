/** Functions and classes of a module that is loaded when one of them is first used. */

/** A function of a module that `load` gives. */
export function laterFunction<Module, Name extends keyof Module>(load: () => Module, name: Name): Module[Name] {
  type Called = (...args: readonly unknown[]) => unknown
  const named = { [name]: (...args: readonly unknown[]) => (load()[name] as Called)(...args) }
  return named[name as string] as Module[Name]
}

/** What stands in a class's place passes these on; they suffice for `new`, `extends`, `instanceof` and static members. */
const PASSED_ON = ['construct', 'get', 'set', 'has'] as const

/** A class of a module that `load` gives. */
export function laterClass<Module, Name extends keyof Module>(load: () => Module, name: Name): Module[Name] {
  const traps = PASSED_ON.map(trap => {
    const act = Reflect[trap] as (target: unknown, ...args: readonly unknown[]) => unknown
    return [trap, (_: unknown, ...args: readonly unknown[]) => act(load()[name], ...args)]
  })
  // A function, because a class may not say of itself that its prototype is another one.
  const place = Object.defineProperty(function () {}, 'name', { value: name })
  return new Proxy(place, Object.fromEntries(traps)) as Module[Name]
}
