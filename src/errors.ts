/**
 * Errors: one class per kind, each with a stable `code`. Data problems inside packets are no errors: they are counted.
 */

/** The stable codes, and the class of each. */
export type ErrorCode =
  | 'ERR_CAPTURE_IO'
  | 'ERR_CAPTURE_FORMAT'
  | 'ERR_CAPTURE_TRUNCATED'
  | 'ERR_CAPTURE_DAMAGED'
  | 'ERR_OUTPUT_IO'
  | 'ERR_FILE_EXISTS'
  | 'ERR_LIVE_PERMISSION'
  | 'ERR_LIVE_INTERFACE'
  | 'ERR_LIVE_DOWN'
  | 'ERR_LIVE_UNSUPPORTED'
  | 'ERR_INVALID_OPTION'
  | 'ERR_BUSY'
  | 'ERR_CLOSED'
  | 'ERR_CHAIN'
  | 'ERR_WRITER'
  | 'ERR_NATIVE_MISSING'
  | 'ERR_INTERNAL'

/** The class of all errors that this package throws. */
export class FlowError extends Error {
  /** A stable word for programs; the message is for people. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A capture can't be read or made, or not in full: missing, not a capture, cut short, damaged; not permitted. */
export class CaptureError extends FlowError {}

/** An option has a value that can't be used. */
export class OptionError extends FlowError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INVALID_OPTION', message, options)
  }
}

/** A file or folder can't be written: the disk is full, a permission is lacking, … What was written before stays. */
export class OutputError extends FlowError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OUTPUT_IO', message, options)
  }
}

/** A file that would be written is there already. */
export class FileExistsError extends FlowError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_FILE_EXISTS', message, options)
  }
}

/** Something was asked of a reader that is closed, or busy with another request. */
export class StateError extends FlowError {}

/** A hook of a chain threw; what it threw is the `cause`. */
export class ChainError extends FlowError {
  /** The chain's name. */
  readonly chain: string
  /** The hook: `newFlow`, `tcp`, … */
  readonly hook: string
  /** Number of the packet in its capture, from 1. */
  readonly packet: number

  constructor(chain: string, hook: string, packet: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super('ERR_CHAIN', `chain '${chain}', hook ${hook}, packet ${packet}: ${reason}`, { cause })
    this.chain = chain
    this.hook = hook
    this.packet = packet
  }
}

/** A writer of streams failed; what went wrong is the `cause`. What was written before stays as it is. */
export class WriterError extends FlowError {
  /** The writer's name. */
  readonly writer: string
  /** The stream's key, `'SRC:SPORT ==> DST:DPORT'`; null where it was no single stream. */
  readonly stream: string | null

  constructor(writer: string, stream: string | null, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super('ERR_WRITER', `writer '${writer}'${stream === null ? '' : `, stream ${stream}`}: ${reason}`, { cause })
    this.writer = writer
    this.stream = stream
  }
}
/** There is no engine to do the work; the message says what is missing. */
export class EngineError extends FlowError {}

/** A bug in this package. */
export class InternalError extends FlowError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INTERNAL', message, options)
  }
}

const CLASSES = [
  FlowError, CaptureError, OutputError, FileExistsError, OptionError, StateError, ChainError, WriterError, EngineError,
  InternalError,
]

// On the prototype, so that `error.name` isn't copied with an error's own properties.
for (const errorClass of CLASSES)
  Object.defineProperty(errorClass.prototype, 'name', { value: errorClass.name, configurable: true, writable: true })

/** Which class a code belongs to. */
export const ERROR_CLASSES: Readonly<
  Record<ErrorCode, typeof FlowError | typeof OptionError | typeof ChainError | typeof WriterError | typeof InternalError>
> = {
  ERR_CAPTURE_IO: CaptureError,
  ERR_CAPTURE_FORMAT: CaptureError,
  ERR_CAPTURE_TRUNCATED: CaptureError,
  ERR_CAPTURE_DAMAGED: CaptureError,
  ERR_OUTPUT_IO: OutputError,
  ERR_FILE_EXISTS: FileExistsError,
  ERR_LIVE_PERMISSION: CaptureError,
  ERR_LIVE_INTERFACE: CaptureError,
  ERR_LIVE_DOWN: CaptureError,
  ERR_LIVE_UNSUPPORTED: CaptureError,
  ERR_INVALID_OPTION: OptionError,
  ERR_BUSY: StateError,
  ERR_CLOSED: StateError,
  ERR_CHAIN: ChainError,
  ERR_WRITER: WriterError,
  ERR_NATIVE_MISSING: EngineError,
  ERR_INTERNAL: InternalError,
}

/** An error of the native addon as one of the classes above; the addon's own stays as `cause`. */
export function fromNative(error: unknown): FlowError {
  if (error instanceof FlowError) return error
  const { code, message } = error as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : String(error)
  const options = { cause: error }
  switch (code) {
    case 'ERR_CAPTURE_IO':
    case 'ERR_CAPTURE_FORMAT':
    case 'ERR_CAPTURE_TRUNCATED':
    case 'ERR_CAPTURE_DAMAGED':
    case 'ERR_LIVE_PERMISSION':
    case 'ERR_LIVE_INTERFACE':
    case 'ERR_LIVE_DOWN':
    case 'ERR_LIVE_UNSUPPORTED':
      return new CaptureError(code, text, options)
    case 'ERR_OUTPUT_IO':
      return new OutputError(text, options)
    case 'ERR_FILE_EXISTS':
      return new FileExistsError(text, options)
    case 'ERR_INVALID_OPTION':
      return new OptionError(text, options)
    case 'ERR_BUSY':
    case 'ERR_CLOSED':
      return new StateError(code, text, options)
    default:
      return new InternalError(text, options)
  }
}
