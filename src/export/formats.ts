/** The formats there are. `zeek` is a `conn.log` as Zeek writes it, `zeek-json` the same as JSON lines. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'json', 'parquet', 'arrow', 'zeek', 'zeek-json'] as const

/** One of them. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]
