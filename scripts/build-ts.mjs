// Compiles src/ to dist/ and puts the generated binding and the addon beside it. dist/ is made anew, so that nothing
// of a deleted module stays in the package.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './tools.mjs'

rmSync(join(root, 'dist'), { recursive: true, force: true })
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
cpSync(join(root, 'src', 'binding'), join(root, 'dist', 'binding'), { recursive: true, preserveTimestamps: true })
