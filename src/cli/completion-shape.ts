/** Commands and options as shells complete them. */

/** An option as shells complete it. */
export interface OptionShape {
  /** `-q` and `--quiet`; one of them may be missing. */
  short: string | undefined
  long: string | undefined
  does: string
  /** It is followed by a value. */
  takesValue: boolean
  /** Words that the value may be; none: a file, or anything. */
  words: readonly string[]
}

/** A command as shells complete it. */
export interface CommandShape {
  name: string
  does: string
  options: readonly OptionShape[]
  /** Words that its argument may be. */
  words: readonly string[]
  /** Its arguments are files. */
  takesFiles: boolean
}

/** The names of options, as they are typed. */
export const flagsOf = (options: readonly OptionShape[]): string[] =>
  options.flatMap(({ short, long }) => [short, long].filter(flag => flag !== undefined))
