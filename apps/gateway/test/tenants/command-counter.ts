import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a database that tells what was asked of it. */
export interface CommandCounter {
  /** The same address, by this way. */
  through(url: string): string;
  /** What was asked since the last time, in order, as `find jobs`. What belongs to looking at keys is left out: it depends on caches. */
  take(): string[];
  close(): Promise<void>;
}

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/** After the flags comes the byte of a section's kind, which is 0 where the command stands in it. */
const DOCUMENT_AT = HEADER_BYTES + 5;
const BSON_STRING = 2;
const OF_KEYS = new Set(['accounts', 'api_keys']);

export async function startCommandCounter(databaseUrl: string): Promise<CommandCounter> {
  const target = new URL(databaseUrl);
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: Number(target.port), host: target.hostname, noDelay: true });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        (socket === client ? server : client).destroySoon();
      });
    }
    const note = createReader((command) => asked.push(command));
    client.on('data', note);
    client.pipe(server);
    server.pipe(client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    through(url) {
      const address = new URL(url);
      address.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
      return address.href;
    },
    take: () => asked.splice(0),
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Finds the commands in MongoDB's wire protocol: messages that begin with their length. */
function createReader(tell: (command: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const message = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(message.length);
      const command = message.readInt32LE(12) === OP_MSG ? commandIn(message.subarray(DOCUMENT_AT)) : undefined;
      if (command) tell(command);
    }
  };
}

/** The first field of a command names it; where it works on a collection, its value is the collection's name. */
function commandIn(document: Buffer): string | undefined {
  if (document[4] !== BSON_STRING) return undefined;
  const end = document.indexOf(0, 5);
  const name = document.toString('utf8', 5, end);
  const length = document.readInt32LE(end + 1);
  const collection = document.toString('utf8', end + 5, end + 4 + length);
  return OF_KEYS.has(collection) ? undefined : `${name} ${collection}`;
}
