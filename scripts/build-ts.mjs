// Compiles src/ to dist/: a few bundled modules, because Node takes 25 ms to find and load eighty, and their types, module
// by module. dist/ is made anew, so that nothing of a deleted module stays in the package. The addon stays in
// src/binding, where src/native/load.ts finds it in a checkout.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './build-page.mjs'
import { root, run } from './tools.mjs'

const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
/** White space and long forms go, names stay: half the size, and stack traces can still be read without maps. */
const common = /** @type {const} */ ({
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  format: 'esm',
  minifyWhitespace: true,
  // Node prints the line that an error was thrown in: it shouldn't fill the screen.
  lineLimit: 160,
  minifySyntax: true,
  sourcemap: true,
  logLevel: 'warning',
})
/**
 * A module that has another one of its name with `-lazy` beside it is taken from there, so that what few need is a module
 * of its own that is loaded when it is needed. Each of those, and what the code imports when it runs, is bundled as if it
 * imported src/index.ts: it lies in memory by then; and esbuild makes one module of all that everything reaches, where it
 * would make ten of what some reach and others don't. Each takes Node half a millisecond.
 * @type {import('esbuild').Plugin}
 */
const lazy = {
  name: 'lazy',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir, kind }) => {
      const module = join(resolveDir, path.replace(/\.js$/, ''))
      if (kind === 'dynamic-import') return { path: relative(root, `${module}.ts`), namespace: 'later' }
      return existsSync(`${module}-lazy.ts`) ? { path: `${module}-lazy.ts` } : undefined
    })
    onResolve({ filter: /^later:/ }, ({ path }) => ({ path: path.slice('later:'.length), namespace: 'later' }))
    onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({
      contents: `import './src/index.ts'; export * from './${path.replaceAll('\\', '/')}'`,
      resolveDir: root,
    }))
  },
}
/**
 * Node's own modules, asked for as plain objects: `import` gives each of them a second face with all its exports, and
 * for that loads what those stand for, streams and promises of `node:fs` for instance. That takes 4 ms.
 * @type {import('esbuild').Plugin}
 */
const builtins = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    // Each importer has its own, so that none becomes a module that several share.
    onResolve({ filter: /^node:/ }, ({ path, kind, importer }) => {
      return kind === 'import-statement' ? { path: `${path} ${relative(root, importer)}`, namespace: 'builtin' } : { path, external: true }
    })
    onLoad({ filter: /.*/, namespace: 'builtin' }, async args => {
      const [path = '', importer = ''] = args.path.split(' ')
      const text = readFileSync(join(root, importer), 'utf8')
      const names = Object.keys(await import(path)).filter(name => name !== 'default' && text.includes(name))
      // A call that is said to be pure goes away where its value isn't used.
      const exports = names.map(name => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})()`)
      return { contents: [`const builtin = process.getBuiltinModule('${path}')`, 'export default builtin', ...exports].join('\n') }
    })
  },
}
await build({
  ...common,
  // A thread begins with a module of its own; the js engine and what stands on flows and streams are loaded when they
  // are needed. All lie beside the chunk that asks for them.
  entryPoints: [
    { in: 'src/index.ts', out: 'index' },
    { in: 'src/cli/main.ts', out: 'cli/main' },
    { in: 'src/extract/file-thread.ts', out: 'file-thread' },
    { in: 'later:src/pure/engine.ts', out: 'pure' },
    { in: 'later:src/fronts.ts', out: 'fronts' },
    { in: 'later:src/streams.ts', out: 'streams' },
  ],
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: '[name]-[hash]',
  plugins: [lazy, builtins],
})
// For browsers one module that needs nothing else; it fails where a module of Node's is on its way. Without a map, which
// would be a third of the whole package: what it is made of is in Node's, all but src/browser.ts.
await build({ ...common, entryPoints: ['src/browser.ts'], platform: 'browser', target: 'es2023', sourcemap: false })
await buildPage()
