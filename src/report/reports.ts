/**
 * Reports, as they are asked for. What makes and serves pages is loaded then: it needs much of Node that records do
 * without.
 */
import type { CaptureSource } from '../source.js'
import type { ReportServer, ServeOptions } from './serve-report.js'
import type { ReportOptions, ReportSummary } from './write-report.js'

/**
 * Writes a page that shows what is in captures: traffic over time, who talks most, all connections, and plots of the most
 * interesting ones. It opens from disk and asks for nothing.
 *
 * @param source one capture or several; each must be a file or octets, because they are read three times
 * @param path the page; `-` is standard output
 * @throws {@link OptionError}; {@link FileExistsError}; {@link OutputError} where the page can't be written; the
 * first {@link CaptureError} without `onError`, and where no capture could be opened: then there is no page
 *
 * @example
 * const { connections, leftOut } = await writeReport('big.pcap', 'report.html')
 */
export async function writeReport(
  source: CaptureSource | readonly CaptureSource[],
  path: string,
  options: ReportOptions = {},
): Promise<ReportSummary> {
  const { makeReport } = await import('./write-report.js')
  return makeReport(source, path, options)
}

/**
 * Reads captures and serves a page that shows what is in them, as {@link writeReport} does; a connection's segments and
 * first octets are read when they are asked for. It listens on 127.0.0.1 only, asks for a token, and has nothing but the
 * page and its data.
 *
 * @param source one capture or several; each must be a file or octets, because they are read again and again
 * @throws {@link OptionError}; the first {@link CaptureError} without `onError`, and where no capture could be opened
 *
 * @example
 * const server = await serveReport('big.pcap')
 * console.log(server.url)
 */
export async function serveReport(
  source: CaptureSource | readonly CaptureSource[],
  options: ServeOptions = {},
): Promise<ReportServer> {
  const { openServer } = await import('./serve-report.js')
  return openServer(source, options)
}
