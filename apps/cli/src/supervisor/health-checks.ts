import { connect } from 'node:net';

const TIMEOUT_MS = 2_000;

/** Does somebody accept connections there? */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return exchange({ port, host }, undefined, () => true);
}

/** Does a Redis answer there, with its data loaded? A refusal for want of a password is an answer. */
export function redisAnswers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return exchange({ port, host }, 'PING\r\n', (reply) => /^(\+PONG|-NOAUTH|-NOPERM)/.test(reply));
}

/** Does an HTTP server there call itself ready? */
export async function httpReady(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  return response.ok;
}

function exchange(
  address: { port: number; host: string },
  message: string | undefined,
  isGood: (reply: string) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => (message === undefined ? end(true) : socket.write(message)));
    socket.once('data', (data) => end(isGood(data.toString())));
  });
}
