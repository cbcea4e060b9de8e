import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { endProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

const IdentitySchema = z.object({ pid: z.number().int(), marks: z.array(z.string()) });

/** What a running stack writes down, so that other commands find it, and the next start finds what a killed one left. */
const StackStateSchema = z.object({
  /** Absent until it is ready. */
  url: z.string().optional(),
  redisUrl: z.string(),
  mongoUrl: z.string(),
  /** What else says where its data lie, as variables of the environment. */
  settings: z.record(z.string(), z.string()).default({}),
  startedAt: z.iso.datetime(),
  processes: z.array(z.object({ name: z.string(), identity: IdentitySchema, healthUrl: z.string().optional() })),
});
export type StackState = z.infer<typeof StackStateSchema>;

const LEFTOVER_GRACE_MS = 5_000;

/** Readable by nobody else: addresses and settings can hold secrets. */
export function writeStackState(home: string, state: StackState): void {
  const path = statePath(home);
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function readStackState(home: string): StackState | undefined {
  return readJson(statePath(home), StackStateSchema);
}

/** The supervisor that holds this data folder, if one runs. */
export async function runningSupervisor(home: string): Promise<ProcessIdentity | undefined> {
  const holder = readJson(lockPath(home), IdentitySchema);
  return holder && (await isRunning(holder)) ? holder : undefined;
}

/**
 * Takes the data folder for this process and ends what a killed supervisor left running.
 * @returns the names of what was ended; undefined where another supervisor holds the folder.
 */
export async function claimHome(home: string, marks: string[]): Promise<string[] | undefined> {
  mkdirSync(home, { recursive: true });
  const content = JSON.stringify({ pid: process.pid, marks });
  while (!createExclusively(lockPath(home), content)) {
    if (await runningSupervisor(home)) return undefined;
    rmSync(lockPath(home), { force: true });
  }
  const left = readStackState(home)?.processes ?? [];
  const ended = await Promise.all(left.map(({ identity }) => endProcess(identity, LEFTOVER_GRACE_MS)));
  rmSync(statePath(home), { force: true });
  return left.filter((_, index) => ended[index]).map(({ name }) => name);
}

export function releaseHome(home: string): void {
  rmSync(statePath(home), { force: true });
  rmSync(lockPath(home), { force: true });
}

function statePath(home: string): string {
  return join(home, 'stack.json');
}

function lockPath(home: string): string {
  return join(home, 'supervisor.json');
}

function createExclusively(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
