import type { Document } from 'bson';
import { openDatabaseLine } from '../database-line.ts';

/** A line to the database on which what clients sent is looked for. */
export interface DatabaseTap {
  port: number;
  /** How many commands have passed. */
  commands(): number;
  /** What stood in the filters of commands, and in the keys of updates, that only a client can have put there. */
  found(): string[];
  close(): Promise<void>;
}

/** @param mark what clients put into operators alone. No filter may hold it. */
export async function openDatabaseTap(targetPort: number, mark: string): Promise<DatabaseTap> {
  const found: string[] = [];
  let commands = 0;
  const line = await openDatabaseLine(targetPort, (command) => {
    commands += 1;
    found.push(...foreignParts(command, mark));
  });
  return { ...line, commands: () => commands, found: () => found };
}

function foreignParts(command: Document, mark: string): string[] {
  const updates = [...(command['updates'] ?? []), ...(command['deletes'] ?? [])] as Document[];
  const filters = [command['filter'], command['query'], command['pipeline'], ...updates.map(({ q }) => q as unknown)];
  const held = filters.filter((filter) => filter !== undefined && JSON.stringify(filter).includes(mark));
  const changed = [...updates.map(({ u }) => u as unknown), command['update']].flatMap(updatedPaths);
  // A path is ours; one with a `$` or a mark in it is made of what a client has sent.
  const paths = changed.filter((path) => path.includes('$') || path.includes(mark));
  return [...held.map((filter) => JSON.stringify(filter)), ...paths];
}

function updatedPaths(update: unknown): string[] {
  if (typeof update !== 'object' || update === null) return [];
  if (Array.isArray(update)) return update.flatMap(updatedPaths);
  const operators = Object.entries(update).filter(([name]) => name.startsWith('$'));
  return operators.flatMap(([, fields]) => Object.keys(fields as object));
}
