import { type Document, deserialize } from 'bson';
import { openRelay, type Relay } from './relay.ts';

const OP_MSG = 2013;
const HEADER_BYTES = 16;

/** A line to the database on which every command is read on its way. Source of the format: MongoDB's wire protocol, OP_MSG. */
export function openDatabaseLine(targetPort: number, tell: (command: Document) => void): Promise<Relay> {
  return openRelay(targetPort, (client, upstream) => {
    let unread = Buffer.alloc(0);
    client.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= HEADER_BYTES && unread.length >= unread.readInt32LE(0)) {
        const command = readCommand(unread.subarray(0, unread.readInt32LE(0)));
        unread = unread.subarray(unread.readInt32LE(0));
        if (command) tell(command);
      }
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
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
