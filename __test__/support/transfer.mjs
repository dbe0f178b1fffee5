// Two ends that send each other files: `transfer.mjs server FOLDER COUNT` and `transfer.mjs client FOLDER COUNT HOST`.
// On connection I (port 7000 + I) the client sends FOLDER/c-I, the server FOLDER/s-I, and each closes its side.
import { createReadStream } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

const [role, folder = '', count = '0', host = ''] = process.argv.slice(2)
const numbers = Array.from({ length: Number(count) }, (_, i) => i)

/** Sends a file and reads what comes until both sides are closed. @param {import('node:net').Socket} socket */
function exchange(socket, /** @type {string} */ file) {
  socket.resume()
  createReadStream(join(folder, file)).pipe(socket)
  return new Promise((resolve, reject) => socket.on('error', reject).on('close', resolve))
}

if (role === 'server') {
  const done = numbers.map(i => {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, socket => {
        exchange(socket, `s-${i}`).then(resolve, reject)
        server.close()
      })
      server.listen(7000 + i, '0.0.0.0')
    })
  })
  console.log('ready')
  await Promise.all(done)
} else {
  const options = i => ({ host, port: 7000 + i, allowHalfOpen: true })
  await Promise.all(numbers.map(i => exchange(connect(options(i)), `c-${i}`)))
}
