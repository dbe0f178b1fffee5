// Makes the page of reports: markup, style and script in one text, and a policy that lets a browser run nothing else. What
// is in src/report/page becomes dist/report-page.html; src/report/template.ts puts the data in.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './tools.mjs'

const page = join(root, 'src', 'report', 'page')

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(page, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    charset: 'utf8',
    // The library's licence stands in the page, in full.
    legalComments: 'none',
    logLevel: 'warning',
  })
  return outputFiles[0]?.text.trim() ?? ''
}

/** @param {string} text */
const hashOf = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Writes the page. */
export async function buildPage() {
  const [script, style] = await Promise.all([bundle('main.ts'), bundle('page.css')])
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) throw new Error('the page would end inside its own script or style')
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'none'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const licence = `The plots are drawn with uPlot.\n\n${readFileSync(join(root, 'node_modules', 'uplot', 'LICENSE'), 'utf8').trim()}`
  if (licence.includes('--')) throw new Error('the licence would end the comment that it stands in')
  /** @type {Record<string, string>} */
  const parts = { policy, licence, style, script }
  const text = readFileSync(join(page, 'page.html'), 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_, name) => parts[name] ?? '')
  writeFileSync(join(root, 'dist', 'report-page.html'), text)
}
