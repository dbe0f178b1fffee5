/** Columns of the table that `FlowSummaryWriter` writes; their meaning stands there. */
export const FLOW_SUMMARY_COLUMNS = [
  'time',
  'direction',
  'payload_bytes',
  'client_bytes',
  'server_bytes',
  'total_bytes',
  'since_last',
  'since_last_client',
  'since_last_server',
] as const
