import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A text in a source of the product, and what a bad build has in its place. */
export interface Replacement {
  /** From the root of the repository. */
  file: string;
  from: string;
  to: string;
}

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

/** The source with all that is to be replaced. @throws where a text is not there exactly once: a control must not become harmless. */
export function replaced(file: string, replacements: readonly Replacement[]): string {
  let source = readFileSync(join(ROOT, file), 'utf8');
  for (const { from, to } of replacements) {
    const count = source.split(from).length - 1;
    if (count !== 1) throw new Error(`${file} has ${count} times, not once:\n${from}`);
    source = source.replace(from, () => to);
  }
  return source;
}

/** Replaces as modules are loaded by this process. */
export function loadReplaced(replacements: readonly Replacement[]): void {
  const byUrl = new Map(
    [...Map.groupBy(replacements, ({ file }) => file)].map(([file, ofFile]) => [
      pathToFileURL(join(ROOT, file)).href,
      replaced(file, ofFile),
    ]),
  );
  registerHooks({
    load(url, context, next) {
      const source = byUrl.get(url);
      return source === undefined ? next(url, context) : { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
