import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitUntil } from '@aigolos/testing';

/** A shell into which commands are typed one after another, as a reader of a document does. */
export interface Console {
  /** Resolves when the command has succeeded and what is expected was printed, by it or by what runs beside it. */
  run(command: string, expected: string[]): Promise<void>;
  /** Ends it with all that it started. */
  close(): Promise<void>;
}

/** Takes commands from a channel of its own, so that those that read their input do not eat the next ones. */
const SHELL = `set -m
while IFS= read -r -d '' -u 3 command; do
  eval "$command" 3<&-
  printf '%s\\n' "$?" >&4
done`;
const PATIENCE_MS = 30_000;
const SHOWN_CHARACTERS = 3_000;
const ANYTHING = '…';

export function startConsole(folder: string, env: Record<string, string>): Console {
  const shell = spawn('bash', ['--noprofile', '--norc', '-c', SHELL], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, commands, statuses] = shell.stdio;
  let printed = '';
  /** What was printed up to here has been looked at. */
  let seen = 0;
  let status = '';
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  statuses?.on('data', (chunk: Buffer) => {
    status += chunk.toString();
  });
  const until = async (what: string, condition: () => boolean) => {
    await waitUntil(what, condition, PATIENCE_MS).catch((error: Error) => {
      throw new Error(`${error.message}\n${printed.slice(-SHOWN_CHARACTERS)}`);
    });
  };

  return {
    async run(command, expected) {
      status = '';
      (commands as NodeJS.WritableStream).write(`${command}\0`);
      await until(`the end of: ${command}`, () => status !== '');
      if (status !== '0\n') throw new Error(`it ended with ${status.trim()}\n${printed.slice(-SHOWN_CHARACTERS)}`);
      for (const line of expected) {
        const pattern = new RegExp(line.split(ANYTHING).map(RegExp.escape).join('.*?'), 'g');
        await until(`"${line}" is printed`, () => {
          pattern.lastIndex = seen;
          if (!pattern.test(printed)) return false;
          seen = pattern.lastIndex;
          return true;
        });
      }
    },
    async close() {
      const ended = once(shell, 'close');
      // With job control each command leads a group of its own, which the shell knows.
      (commands as NodeJS.WritableStream).end('for job in $(jobs -p); do kill -9 -- "-$job"; done\0');
      await ended;
    },
  };
}
