import { createReporter, type Reporter } from '../output/reporter.ts';

/** A bar on a terminal; nothing where there is none, or the output is for machines. */
export function progressBar(name: string, { json }: { json?: true | undefined }): ReturnType<Reporter['bar']> {
  if (json || !process.stderr.isTTY) return { update() {}, stop() {} };
  return createReporter(undefined, true).bar(name);
}
