import { constants } from 'node:os';
import { join, relative } from 'node:path';
import pc from 'picocolors';
import { type CliConfig, readConfig } from '../config.ts';
import { createReporter } from '../output/reporter.ts';
import { formatLine } from '../supervisor/log-line.ts';
import { findRunningStack, type OwnStack, type RunningStack, startStack } from '../supervisor/stack.ts';

/** Ctrl-C pressed again after so long means: do not wait. One press can arrive twice, from the terminal and from npm. */
const SECOND_PRESS_AFTER_MS = 1_000;

/** `aigolos up`: starts the stack, says how to use it, and stops it when asked to. */
export async function up(): Promise<void> {
  const config = readConfig();
  const already = await findRunningStack(config);
  if (already) {
    console.log(`AIGolos is already running at ${already.url}\n`);
    return console.log(hints(already, config));
  }
  const stopping = listenForStop();
  const onLine = (line: Parameters<typeof formatLine>[0]) => console.log(formatLine(line));
  const stack = await startStack(config, { reporter: createReporter(), onLine, signal: stopping.signal }).catch(
    (error: unknown) => {
      if (stopping.signal.aborted) return undefined;
      throw error;
    },
  );
  // What was being prepared ends with this process; it goes on from there the next time.
  if (!stack) process.exit(128 + constants.signals.SIGINT);
  console.log(
    `\n${pc.bold(`AIGolos is ready at ${stack.url}`)}\n\n${hints(stack, config, stack.newKeys)}\n\nCtrl-C stops everything.\n`,
  );
  await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }));
  console.log('Stopping …');
  await stack.stop();
  console.log('Stopped.');
}

/** Aborts at the first signal, or when the process that started this one is gone. */
function listenForStop(): AbortController {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  const stop = (signal?: NodeJS.Signals) => {
    if (firstAt !== undefined && Date.now() - firstAt > SECOND_PRESS_AFTER_MS && signal) {
      process.exit(128 + constants.signals[signal]);
    }
    firstAt ??= Date.now();
    stopping.abort(new Error('stopped'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  if (process.connected) {
    process.once('disconnect', () => stop());
    // The channel alone must not keep this process alive when there is nothing more to do.
    process.channel?.unref();
  }
  return stopping;
}

/** How to use the stack: its keys, where they are new, and three commands to try. */
function hints({ url }: RunningStack, { paths, env }: CliConfig, newKeys: OwnStack['newKeys'] = []): string {
  const clip = join(paths.root, 'libs', 'testing', 'fixtures', 'audio', 'jfk.flac');
  const shown = (path: string) => relative(process.cwd(), path);
  const auth = '-H "Authorization: Bearer $KEY"';
  const json = "-H 'Content-Type: application/json'";
  return [
    ...newKeys.map(({ file, key }) => `Key      ${key}  (shown this once; it lies in ${shown(file)})`),
    `Log      ${shown(paths.logFile)}`,
    '',
    'Try, in another terminal:',
    `  KEY=$(cat ${shown(join(paths.home, 'api-key'))})`,
    `  curl ${url}/v1/audio/transcriptions ${auth} -F model=${env.ASR_MODEL} -F file=@${shown(clip)}`,
    `  curl ${url}/v1/chat/completions ${auth} ${json} \\`,
    `    -d '{"model":"${env.LLM_MODEL}","messages":[{"role":"user","content":"What is the capital of France?"}]}'`,
    `  curl ${url}/v1/audio/speech ${auth} ${json} -o hello.mp3 \\`,
    `    -d '{"model":"tts-1","voice":"alloy","input":"Hello from AIGolos."}'`,
  ].join('\n');
}
