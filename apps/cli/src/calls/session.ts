import type { Client, EndedJob, JobHandle } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';
import { type Interruption, interruption } from '../output/interruption.ts';
import { connect, type ServerOptions } from './connect.ts';
import { EXIT, toCliError } from './exit-codes.ts';
import { jobBar } from './job-bar.ts';

export interface CallOptions extends ServerOptions {
  json?: true;
  async?: true;
}

/** One command that calls the gateway, from its first request to its last. */
export interface Session {
  client: Client;
  signal: AbortSignal;
  /** A job that Ctrl-C cancels, until it has ended. */
  track(id: string): void;
  /** The job's end, with a bar on the way to it. @throws CliError where it has no result. */
  untilEnded(handle: Pick<JobHandle<unknown>, 'id' | 'wait' | 'events'>, name: string): Promise<EndedJob>;
}

const CANCEL_MS = 5_000;

/**
 * Runs a command. Interrupted, it cancels the jobs that it has submitted and that have not ended.
 * @throws CliError whose exit code tells what was wrong.
 */
export async function inSession(options: CallOptions, run: (session: Session) => Promise<void>): Promise<void> {
  const interrupted = interruption();
  const { signal } = interrupted;
  const open = new Set<string>();
  try {
    const client = await connect(options);
    try {
      await run({
        client,
        signal,
        track: (id) => void open.add(id),
        async untilEnded(handle, name) {
          const job = await ended(handle, { name, json: options.json, signal });
          open.delete(handle.id);
          if (job.status === 'completed' || job.status === 'incomplete') return job;
          throw new CliError(`${name}: job ${job.id} is ${job.status}${why(job)}`, EXIT.failed);
        },
      });
    } catch (error) {
      if (!signal.aborted) throw toCliError(error);
      await cancelAll(client, open);
    }
    if (signal.aborted) process.exitCode = interrupted.exitCode;
  } finally {
    interrupted.stop();
  }
}

async function ended(
  handle: Pick<JobHandle<unknown>, 'wait' | 'events'>,
  { name, json, signal }: { name: string; json: true | undefined; signal: Interruption['signal'] },
): Promise<EndedJob> {
  const bar = jobBar(name, { json });
  if (!bar) return handle.wait({ signal });
  try {
    for await (const event of handle.events({ signal })) bar.update(event);
  } finally {
    bar.stop();
  }
  return handle.wait({ signal });
}

async function cancelAll(client: Client, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    await client.jobs.cancel(id, { signal: AbortSignal.timeout(CANCEL_MS) }).then(
      () => console.error(`cancelled ${id}`),
      () => console.error(`not cancelled, so it goes on: ${id}; "aigolos result ${id}" fetches what comes of it`),
    );
  }
}

function why({ error }: EndedJob): string {
  return error ? `: ${error.message}` : '.';
}
