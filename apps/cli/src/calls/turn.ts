import type { SpeechFormat } from '@aigolos/contracts';
import type { Client, EndedJob } from '@aigolos/sdk';
import { PIPE } from './read-input.ts';
import { sendFile } from './send-file.ts';
import { type CallOptions, inSession } from './session.ts';
import { formatOf } from './speak.ts';
import { tellConversation } from './tell-conversation.ts';
import { print, save } from './write-output.ts';

export interface TurnOptions extends CallOptions {
  conversation?: string;
  output?: string;
  model?: string;
  language?: string;
  system?: string;
  voice?: string;
  format?: SpeechFormat;
  speed?: number;
}

/** Has what is said in a file answered: prints what was heard and what was answered, and saves the sound where it is wanted. */
export async function turn(path: string, options: TurnOptions): Promise<void> {
  const { conversation, model, language, system: instructions, voice, speed } = options;
  const wishes = { conversation, model, language, instructions, voice, speed };
  const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
  const params = { ...given, response_format: formatOf(options) };
  await inSession(options, async ({ client, signal, track, untilEnded }) => {
    const handle = await sendFile(path, options, (file) =>
      client.voiceTurns.submit({ ...file, ...params }, { signal }),
    );
    if (options.async) return print(options.json ? JSON.stringify(handle.submitted) : handle.id);
    track(handle.id);
    const job = await untilEnded(handle, path);
    await giveTurn(client, job, { ...options, file: path, signal });
  });
}

export interface GiveTurnOptions extends Pick<TurnOptions, 'json' | 'output' | 'conversation'> {
  /** What was said, where it is known. */
  file?: string;
  signal: AbortSignal;
}

/** What came of a turn that has ended. Where its sound goes to stdout, what was said goes beside it. */
export async function giveTurn(client: Client, job: EndedJob, options: GiveTurnOptions): Promise<void> {
  const { json, output, signal, file } = options;
  const made = await client.jobs.result('voice-turn', job.id, { signal });
  if (output !== undefined)
    await save(await client.jobs.result('voice-turn', job.id, { as: 'audio', signal }), output, signal);
  if (json) {
    if (output !== PIPE) print(JSON.stringify({ file, output, job, turn: made }));
    return;
  }
  const say = output === PIPE ? console.error : print;
  say(`heard   ${made.transcript.text}`);
  say(`answer  ${made.answer.text}`);
  tellConversation(made.conversation, options);
}
