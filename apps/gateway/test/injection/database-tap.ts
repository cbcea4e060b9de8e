import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Document, deserialize } from 'bson';

/** A line to the database on which every command is read on its way. */
export interface DatabaseTap {
  port: number;
  /** How many commands have passed. */
  commands(): number;
  /** What stood in the filters of commands, and in the keys of updates, that only a client can have put there. */
  found(): string[];
  close(): Promise<void>;
}

const OP_MSG = 2013;
const HEADER_BYTES = 16;

/**
 * @param mark what clients put into operators alone. No filter may hold it.
 * Source of the format: MongoDB's wire protocol, OP_MSG.
 */
export async function openDatabaseTap(targetPort: number, mark: string): Promise<DatabaseTap> {
  const found: string[] = [];
  let commands = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    let unread = Buffer.alloc(0);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= unread.readInt32LE(0)) {
        const command = readCommand(unread.subarray(0, unread.readInt32LE(0)));
        unread = unread.subarray(unread.readInt32LE(0));
        if (!command) continue;
        commands += 1;
        found.push(...foreignParts(command, mark));
      }
      upstream.write(chunk);
    });
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    commands: () => commands,
    found: () => found,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The one document of a command, with the documents that were sent beside it in their places. */
function readCommand(message: Buffer): Document | undefined {
  if (message.readInt32LE(12) !== OP_MSG) return undefined;
  const hasChecksum = (message.readUInt32LE(HEADER_BYTES) & 1) === 1;
  const end = message.length - (hasChecksum ? 4 : 0);
  const command: Document = {};
  for (let at = HEADER_BYTES + 4; at < end; ) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) Object.assign(command, deserialize(section));
    else Object.assign(command, readSequence(section));
    at += 1 + size;
  }
  return command;
}

function readSequence(section: Buffer): Document {
  const nameEnd = section.indexOf(0, 4);
  const documents: Document[] = [];
  for (let at = nameEnd + 1; at < section.length; at += section.readInt32LE(at)) {
    documents.push(deserialize(section.subarray(at, at + section.readInt32LE(at))));
  }
  return { [section.toString('utf8', 4, nameEnd)]: documents };
}

function foreignParts(command: Document, mark: string): string[] {
  const updates = [...(command['updates'] ?? []), ...(command['deletes'] ?? [])] as Document[];
  const filters = [command['filter'], command['query'], command['pipeline'], ...updates.map(({ q }) => q as unknown)];
  const held = filters.filter((filter) => filter !== undefined && JSON.stringify(filter).includes(mark));
  const changed = [...updates.map(({ u }) => u as unknown), command['update']].flatMap(updatedPaths);
  // A path is ours; one with a `$` or a mark in it is made of what a client has sent.
  const paths = changed.filter((path) => path.includes('$') || path.includes(mark));
  return [...held.map((filter) => JSON.stringify(filter)), ...paths];
}

function updatedPaths(update: unknown): string[] {
  if (typeof update !== 'object' || update === null) return [];
  if (Array.isArray(update)) return update.flatMap(updatedPaths);
  const operators = Object.entries(update).filter(([name]) => name.startsWith('$'));
  return operators.flatMap(([, fields]) => Object.keys(fields as object));
}
