import type { Client, ResultKind } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';
import { EXIT } from './exit-codes.ts';
import { type CallOptions, inSession } from './session.ts';
import { giveTurn } from './turn.ts';
import { print, save, soundTarget } from './write-output.ts';

export interface ResultOptions extends CallOptions {
  output?: string;
}

const KINDS = ['transcription', 'translation', 'speech', 'chat', 'voice-turn'] as const satisfies readonly ResultKind[];

/** Waits for a job that was submitted earlier, and gives what came of it. Ctrl-C leaves the job as it is. */
export async function result(id: string, options: ResultOptions): Promise<void> {
  await inSession(options, async ({ client, signal, untilEnded }) => {
    const kind = await kindOf(client, id, signal);
    const target = kind === 'speech' ? soundTarget(options.output) : undefined;
    const job = await untilEnded(
      { id, wait: (given) => client.jobs.wait(id, given), events: (given) => client.jobs.events(id, given) },
      id,
    );
    if (kind === 'voice-turn') return giveTurn(client, job, { ...options, signal });
    const made = await client.jobs.result(kind, id, { signal });
    if (target !== undefined && made instanceof Response) return save(made, target, signal);
    if (typeof made === 'string') return print(made);
    const isChat = kind === 'chat' && !options.json && 'choices' in made;
    print(isChat ? (made.choices[0]?.message.content ?? '') : JSON.stringify(made));
  });
}

async function kindOf(client: Client, id: string, signal: AbortSignal): Promise<(typeof KINDS)[number]> {
  const { kind } = await client.jobs.get(id, { signal });
  const known = KINDS.find((candidate) => candidate === kind);
  if (known) return known;
  throw new CliError(`${id} is a job of kind ${kind}, whose result this command does not fetch.`, EXIT.wrongUse);
}
