/** Files that are there already. */
import { statSync } from 'node:fs'
import { FileExistsError } from '../index.js'

/**
 * Refuses to write where a file is. Devices and pipes take what is written without losing what they hold.
 *
 * @throws {@link FileExistsError}
 */
export function refuseToReplace(path: string | undefined): void {
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new FileExistsError(`${path}: the file exists already`)
}
