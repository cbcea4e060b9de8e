import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientsProgram } from '@aigolos/testing';
import { execa } from 'execa';
import type { Stack } from '../test/stack.ts';
import { type Neighbour, seenByNeighbours } from './neighbours.ts';

export interface FuzzOptions {
  /** Requests of each kind for an operation. */
  examples: number;
  /** What all of it may take, about. */
  seconds: number;
}

/** They erase the accounts that the requests are made with, or revoke their keys, so they come last. */
const ENDS = '^/v1/(erasures$|api_keys)';
const CONFIG = join(import.meta.dirname, 'schemathesis.toml');

/**
 * Has schemathesis make requests from our own API description, valid ones and others, alone and one after another, and hold
 * the answers to it: no 5xx, no status, header or body that is not described, no refusal or acceptance of the wrong ones.
 * What the description cannot say (a text that is not blank, an address that can be called) may be refused all the same.
 * Two accounts make the same requests at the same time, and neither is told of what the other has.
 * @returns what it printed, where it found something, and what an account was told of the other; undefined where there is nothing.
 */
export async function fuzzApi(stack: Stack, { examples, seconds }: FuzzOptions): Promise<string | undefined> {
  // The addresses that it makes up as webhooks are nobody's to be called.
  await stack.end(stack.app('worker-webhooks'), 'SIGTERM');
  // It keeps notes where it runs.
  const cwd = await mkdtemp(join(tmpdir(), 'aigolos-fuzz-'));
  const run = async ({ key, reportPath }: Neighbour, selection: string[], maxSeconds: number) => {
    const args = ['--config-file', CONFIG, 'run', `${stack.url}/openapi.json`];
    args.push('--header', `Authorization: Bearer ${key}`, '--report-har-path', reportPath);
    args.push('--max-examples', String(examples), '--max-time', String(maxSeconds), '--generation-deterministic');
    // One: parsers of Python before 3.12 trip over each other in threads.
    args.push('--workers', '1', '--continue-on-failure', '--no-color', '--warnings', 'off', ...selection);
    return execa(clientsProgram('schemathesis'), args, { cwd, reject: false, all: true, stdin: 'ignore' });
  };
  const neighbours: [Neighbour, Neighbour] = [
    { key: stack.apiKey, reportPath: join(cwd, 'one.har') },
    { key: await newKey(stack), reportPath: join(cwd, 'other.har') },
  ];
  const both = (selection: string[], maxSeconds: number) =>
    Promise.all(neighbours.map((neighbour) => run(neighbour, selection, maxSeconds)));
  const most = await both(['--exclude-path-regex', ENDS], Math.max(1, seconds - 5));
  const seen = await seenByNeighbours(stack.url, neighbours);
  const ends = await both(['--include-path-regex', ENDS], Math.min(5, seconds));
  await rm(cwd, { recursive: true, force: true });
  const failures = [...most, ...ends].filter(({ exitCode }) => exitCode !== 0).map(({ all }) => all);
  const found = [...failures, ...seen];
  return found.length === 0 ? undefined : found.join('\n');
}

async function newKey({ db }: Stack): Promise<string> {
  const { _id: account } = await db.access.ensureAccount('neighbour');
  return (await db.access.createKey({ account, role: 'user', label: 'fuzz' })).key;
}
