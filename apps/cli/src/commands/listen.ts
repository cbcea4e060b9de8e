import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { CliError } from '../cli-error.ts';
import { readConfig } from '../config.ts';
import type { Received } from '../listen/receiver.ts';
import { type Registration, register } from '../listen/registration.ts';
import { interruption } from '../output/interruption.ts';
import { findRunningStack } from '../supervisor/stack.ts';

const PORT = 8788;
const SECRET = /^whsec_[A-Za-z0-9+/]+={0,2}$/;

/** `aigolos listen`. */
export function addListenCommand(program: Command): void {
  program
    .command('listen')
    .description('receive webhooks here, verify and print them; Ctrl-C ends it')
    .option('--port <port>', 'where to listen on this machine; 0 takes a free one', portOf, PORT)
    .option(
      '--secret <secret>',
      'of an endpoint that you have made; without it the running stack is asked for one',
      secretOf,
    )
    .action(listen);
}

async function listen({ port, secret: given }: { port: number; secret?: string }): Promise<void> {
  const stack = given === undefined ? await findRunningStack(readConfig()) : undefined;
  if (given === undefined && !stack) {
    throw new CliError('No stack is running here: start it first, or name the secret of an endpoint with --secret.');
  }
  const interrupted = interruption();
  const secret = Promise.withResolvers<string>();
  // Loaded when it is asked for: what verifies is of no use to the other commands.
  const { startReceiver } = await import('../listen/receiver.ts');
  const receiver = await startReceiver({
    port,
    secret: secret.promise,
    onReceived: (one) => console.log(inWords(one)),
  });
  let registration: Registration | undefined;
  try {
    registration = stack && (await register(stack, receiver.url));
    secret.resolve(registration?.secret ?? given ?? '');
    console.log(`Listening at ${receiver.url}${registration ? ' to the events of all jobs' : ''}. Ctrl-C ends it.`);
    await new Promise((resolve) => {
      if (interrupted.signal.aborted) resolve(undefined);
      interrupted.signal.addEventListener('abort', resolve, { once: true });
    });
  } finally {
    interrupted.stop();
    await receiver.close();
    await registration?.remove();
  }
}

function inWords(received: Received): string {
  const clock = pc.dim(new Date().toTimeString().slice(0, 8));
  if ('refused' in received) return `${clock} ${pc.red('refused')}: ${received.refused}`;
  const { id, type, data } = received.event;
  return `${clock} ${pc.green('✓')} ${type.padEnd(14)} ${data.id} ${pc.dim(`${data.kind ?? ''} ${id}`)}`;
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a port from 0 to 65535.');
}

function secretOf(text: string): string {
  if (SECRET.test(text)) return text;
  throw new InvalidArgumentError('It must be a secret as an endpoint was made with it: whsec_…');
}
