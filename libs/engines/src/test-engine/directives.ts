import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What a text can tell a test engine to do, written in double brackets anywhere in it: `[[fail]]` ends with a retryable
 * error, `[[reject]]` with one that is not, `[[hang]]` never ends by itself, `[[crash]]` kills the engine's process.
 */
export type Directive = 'fail' | 'reject' | 'hang' | 'crash';

export function directiveIn(text: string): Directive | undefined {
  return /\[\[(fail|reject|hang|crash)\]\]/.exec(text)?.[1] as Directive | undefined;
}

/** Carries out a directive; returns where there is none. */
export async function obey(
  directive: Directive | undefined,
  signal: AbortSignal,
  toError: (message: string, retryable: boolean) => Error,
): Promise<void> {
  switch (directive) {
    case undefined:
      return;
    case 'fail':
      throw toError('The test engine was told to fail.', true);
    case 'reject':
      throw toError('The test engine was told to reject this.', false);
    case 'hang':
      return hang(signal);
    case 'crash':
      process.kill(process.pid, 'SIGKILL');
      return hang(signal);
  }
}

async function hang(signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(60_000, undefined, { signal });
  }
}
