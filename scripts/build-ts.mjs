// Builds src/ to dist/: a few bundled modules, because Node takes 25 ms to find and load eighty; their types, module by
// module; and beside them the generated binding and the addon. dist/ is made anew, so that nothing of a deleted module
// stays in the package.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, run } from './tools.mjs'

const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
await build({
  absWorkingDir: root,
  // A thread begins with a module of its own, which lies beside the chunk that starts it.
  entryPoints: [
    { in: 'src/index.ts', out: 'index' },
    { in: 'src/cli/main.ts', out: 'cli/main' },
    { in: 'src/extract/file-thread.ts', out: 'file-thread' },
  ],
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: true,
  chunkNames: '[name]-[hash]',
  logLevel: 'warning',
})
// For browsers one module that needs nothing else; it fails where a module of Node's is on its way.
await build({
  absWorkingDir: root,
  entryPoints: ['src/browser.ts'],
  outdir: dist,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2023',
  sourcemap: true,
  logLevel: 'warning',
})
