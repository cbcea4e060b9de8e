import type { TranscriptFormat } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';
import { toCliError } from './exit-codes.ts';
import { sendFile } from './send-file.ts';
import { type CallOptions, inSession, type Session } from './session.ts';
import { print } from './write-output.ts';

export interface TranscribeOptions extends CallOptions {
  model: string;
  language?: string;
  format: TranscriptFormat;
}

/** Sends all files, then tells what they say, in their order. One that fails does not keep the others from it. */
export async function transcribe(paths: string[], options: TranscribeOptions): Promise<void> {
  await inSession(options, async (session) => {
    const failures: CliError[] = [];
    const attempt = async <Result>(path: string, work: () => Promise<Result>): Promise<Result | undefined> => {
      try {
        return await work();
      } catch (thrown) {
        const error = toCliError(thrown);
        if (session.signal.aborted || !(error instanceof CliError)) throw thrown;
        console.error(error.message.includes(path) ? error.message : `${path}: ${error.message}`);
        failures.push(error);
        return undefined;
      }
    };
    const sent: { path: string; handle: Awaited<ReturnType<typeof submit>> }[] = [];
    for (const path of paths) {
      const handle = await attempt(path, () => submit(session, path, options));
      if (handle && options.async) print(options.json ? JSON.stringify(handle.submitted) : handle.id);
      else if (handle) sent.push({ path, handle });
    }
    for (const { path, handle } of sent) {
      await attempt(path, async () => {
        const job = await session.untilEnded(handle, path);
        const transcript = await handle.result({ signal: session.signal });
        if (options.json) return print(JSON.stringify({ file: path, job, transcript }));
        if (paths.length > 1) print(`==> ${path} <==`);
        print(typeof transcript === 'string' ? transcript : JSON.stringify(transcript));
      });
    }
    const worst = Math.max(...failures.map(({ exitCode }) => exitCode));
    if (failures.length > 0) process.exitCode = worst;
  });
}

async function submit({ client, signal, track }: Session, path: string, options: TranscribeOptions) {
  const { model, language, format } = options;
  const params = { model, response_format: format, ...(language !== undefined && { language }) };
  const handle = await sendFile(path, options, (file) =>
    client.transcriptions.submit({ ...file, ...params }, { signal }),
  );
  if (!options.async) track(handle.id);
  return handle;
}
