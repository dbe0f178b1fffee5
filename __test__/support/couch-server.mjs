// @ts-nocheck: none of the three packages comes with types.
// A server that speaks CouchDB's protocol, over a database in a folder, as a process of its own: so that it can be
// killed. Arguments: folder, port (0 = any). Prints the port.
import { join } from 'node:path'
import express from 'express'
import expressPouch from 'express-pouchdb'
import PouchDB from 'pouchdb'

const [folder, port] = process.argv.slice(2)
const Databases = PouchDB.defaults({ prefix: join(folder, '/') })
const app = express()
// The modes without files of its own in the working directory.
app.use('/', expressPouch(Databases, { mode: 'minimumForPouchDB', logPath: join(folder, 'log.txt'), inMemoryConfig: true }))
const server = app.listen(Number(port), '127.0.0.1', () => console.log(server.address().port))
