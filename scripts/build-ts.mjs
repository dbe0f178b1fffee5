// Compiles src/ to dist/: a few bundled modules, because Node takes 25 ms to find and load eighty, and their types, module
// by module. dist/ is made anew, so that nothing of a deleted module stays in the package. The addon stays in
// src/binding, where src/native/load.ts finds it in a checkout.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
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
  minifySyntax: true,
  sourcemap: true,
  logLevel: 'warning',
})
/** @type {import('esbuild').Plugin} */
const lazyPure = {
  name: 'lazy-pure',
  setup({ onResolve }) {
    onResolve({ filter: /\/pure-engines\.js$/ }, () => ({ path: join(root, 'src', 'node', 'pure-engines-lazy.ts') }))
  },
}
await build({
  ...common,
  // A thread begins with a module of its own, and the js engine is one that is loaded when it is needed; both lie beside
  // the chunk that asks for them.
  entryPoints: [
    { in: 'src/index.ts', out: 'index' },
    { in: 'src/cli/main.ts', out: 'cli/main' },
    { in: 'src/extract/file-thread.ts', out: 'file-thread' },
    { in: 'src/pure/engine.ts', out: 'pure' },
  ],
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: '[name]-[hash]',
  plugins: [lazyPure],
})
// For browsers one module that needs nothing else; it fails where a module of Node's is on its way. Without a map, which
// would be a third of the whole package: what it is made of is in Node's, all but src/browser.ts.
await build({ ...common, entryPoints: ['src/browser.ts'], platform: 'browser', target: 'es2023', sourcemap: false })
await buildPage()
