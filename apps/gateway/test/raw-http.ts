import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** A connection to a server on which anything may be said. */
export async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // A server that cuts a connection off is what most of these tests wait for.
  socket.on('error', () => {});
  return socket;
}

/** Says these bytes, and hears all that the server says until it ends the connection. */
export async function sayRaw(url: string, bytes: string): Promise<string> {
  const socket = await dial(url);
  socket.write(bytes);
  return text(socket);
}

/** The statuses of the answers that were heard on one connection, and the body of the last of them. */
export function readAnswers(heard: string): { statuses: number[]; body: string } {
  const statuses = [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { statuses, body: heard.slice(heard.lastIndexOf('\r\n\r\n') + 4) };
}
