/** The engine's errors, with the texts of `core::error`. Only failures are errors: data problems are counted. */
import { CaptureError, FlowError, fromNative, InternalError } from '../errors.js'

/** The octets are not a capture that can be read. */
export function formatError(offset: number, reason: string): CaptureError {
  return new CaptureError('ERR_CAPTURE_FORMAT', `offset ${offset}: ${reason}`)
}

/** The input contradicts itself: nothing after this point can be trusted. */
export function damagedError(offset: number, reason: string): CaptureError {
  return new CaptureError('ERR_CAPTURE_DAMAGED', `offset ${offset}: ${reason}`)
}

/** The input ends inside a structure, which begins at `offset`. */
export function truncatedError(what: string, offset: number, needed: number, available: number): CaptureError {
  const text = `offset ${offset}: ${what} is cut short: ${needed} octets needed, ${available} there`
  return new CaptureError('ERR_CAPTURE_TRUNCATED', text)
}

/** The system refused to `op`. */
export function ioError(op: string, reason: string, cause?: unknown): CaptureError {
  return new CaptureError('ERR_CAPTURE_IO', `cannot ${op}: ${reason}`, { cause })
}

/** The same error with the capture's name before its text. */
export function inCapture(error: unknown, capture: string): FlowError {
  if (error instanceof FlowError) return fromNative({ code: error.code, message: `${capture}: ${error.message}` })
  const message = error instanceof Error ? error.message : String(error)
  return new InternalError(`${capture}: internal error (please report it): ${message}`, { cause: error })
}
