/** Functions and classes of a module that is loaded when one of them is first used. */
import { createRequire } from 'node:module'

/** What gives the module `file` that lies beside the bundle; it is loaded once, when first asked for. */
export function laterModule<Module>(file: string): () => Module {
  let loaded: Module | undefined
  return () => (loaded ??= createRequire(import.meta.url)(`./${file}`) as Module)
}

/** A function of a module that `load` gives. */
export function laterFunction<Module, Name extends keyof Module>(load: () => Module, name: Name): Module[Name] {
  type Called = (...args: readonly unknown[]) => unknown
  const named = { [name]: (...args: readonly unknown[]) => (load()[name] as Called)(...args) }
  return named[name as string] as Module[Name]
}

/** A class of a module that `load` gives: for `new`, `extends`, `instanceof` and static members. */
export function laterClass<Module, Name extends keyof Module>(load: () => Module, name: Name): Module[Name] {
  const real = () => load()[name] as new (...args: readonly unknown[]) => object
  // A function, because a class may not say of itself that its prototype is another one.
  const place = Object.defineProperty(function () {}, 'name', { value: name })
  return new Proxy(place, {
    construct: (_, args, newTarget) => Reflect.construct(real(), args, newTarget) as object,
    apply: (_, self, args) => Reflect.apply(real(), self, args) as unknown,
    get: (_, key) => Reflect.get(real(), key) as unknown,
    set: (_, key, value) => Reflect.set(real(), key, value),
    has: (_, key) => Reflect.has(real(), key),
  }) as Module[Name]
}
