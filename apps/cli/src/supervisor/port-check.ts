import { createServer } from 'node:net';
import getPort, { portNumbers } from 'get-port';
import { CliError } from '../cli-error.ts';

const HIGHEST_PORT = 65_535;

/** @throws CliError that names a port that is free, where this one is taken or not allowed. */
export async function assertPortIsFree(host: string, port: number): Promise<void> {
  const code = await tryToListen(host, port);
  if (code === undefined) return;
  if (code === 'EADDRINUSE') {
    const next = await getPort({
      port: portNumbers(Math.min(port + 1, HIGHEST_PORT), Math.min(port + 100, HIGHEST_PORT)),
    });
    throw new CliError(`Port ${port} is taken by another program: choose another, such as PORT=${next} npm start`);
  }
  if (code === 'EACCES') throw new CliError(`Port ${port} needs an administrator: choose one above 1023 with PORT=`);
  throw new CliError(`The gateway cannot listen on ${host} (${code}): correct HOST=`);
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
