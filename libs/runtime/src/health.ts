/** Answers whether one dependency works; rejects or returns false where it does not. */
export type ReadinessCheck = () => Promise<boolean>;

export interface Readiness {
  ready: boolean;
  checks: Record<string, 'ok' | 'failed'>;
}

/** Runs all checks at once, each bounded, so that a dependency that hangs counts as failed. */
export async function checkReadiness(checks: Record<string, ReadinessCheck>, timeoutMs = 2_000): Promise<Readiness> {
  const entries = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, (await isOk(check, timeoutMs)) ? 'ok' : 'failed'] as const,
    ),
  );
  return { ready: entries.every(([, state]) => state === 'ok'), checks: Object.fromEntries(entries) };
}

async function isOk(check: ReadinessCheck, timeoutMs: number): Promise<boolean> {
  const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([check(), timedOut]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
