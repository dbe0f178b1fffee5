/** Arguments that are numbers. */
import { InvalidArgumentError } from 'commander'

/** A number, 0 or more. */
export function positive(text: string): number {
  const value = Number(text)
  if (text === '' || Number.isNaN(value) || value < 0) throw new InvalidArgumentError('Expected a number, 0 or more.')
  return value
}

/** A whole number, 0 or more. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Expected a whole number.')
  return value
}
