import { extname } from 'node:path';
import { SPEECH_FORMATS, type SpeechFormat } from '@aigolos/contracts';
import { CliError } from '../cli-error.ts';
import { EXIT } from './exit-codes.ts';
import { PIPE, readText, readWords } from './read-input.ts';
import { type CallOptions, inSession } from './session.ts';
import { print, save, soundTarget } from './write-output.ts';

export interface SpeakOptions extends CallOptions {
  model: string;
  voice: string;
  format?: SpeechFormat;
  speed?: number;
  file?: string;
  output?: string;
}

/** Has a text spoken into a file. */
export async function speak(words: string[], options: SpeakOptions): Promise<void> {
  const { model, voice, speed, file, output } = options;
  if (words.length > 0 === (file !== undefined)) {
    throw new CliError('Name what to speak: a text, or a file with -f; "-" is what is piped in.', EXIT.wrongUse);
  }
  const target = options.async ? undefined : soundTarget(output);
  const input = file === undefined ? await readWords(words) : await readText(file);
  await inSession(options, async ({ client, signal, track, untilEnded }) => {
    const params = { model, voice, input, response_format: formatOf(options), ...(speed !== undefined && { speed }) };
    const handle = await client.speech.submit(params, { signal });
    if (target === undefined) return print(options.json ? JSON.stringify(handle.submitted) : handle.id);
    track(handle.id);
    const job = await untilEnded(handle, target === PIPE ? handle.id : target);
    await save(await handle.result({ signal }), target, signal);
    if (options.json && target !== PIPE) print(JSON.stringify({ file: target, job }));
  });
}

/** As it was named, or as the file's name says. */
export function formatOf({ format, output = '' }: Pick<SpeakOptions, 'format' | 'output'>): SpeechFormat {
  const named = extname(output).slice(1).toLowerCase();
  return format ?? SPEECH_FORMATS.find((known) => known === named) ?? 'mp3';
}
