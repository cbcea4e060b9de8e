import { LIMITS } from '@aigolos/contracts';

/** What a client wants done while its job runs (RFC 7240). */
export interface Preference {
  respondAsync: boolean;
  /** How long it will wait for the answer; without it, and without `respondAsync`, until it is there. */
  waitSeconds?: number;
}

/** `name`, or `name=value`, or `name="value"`, then parameters, which none of ours has. */
const PREFERENCE = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?(?:[^,"]|"(?:[^"\\]|\\.)*")*/g;

/** Reads the Prefer header. Of a preference that comes twice the first counts; what is not understood is ignored. */
export function parsePrefer(header: string | string[] | undefined): Preference {
  const preferences = new Map<string, string>();
  for (const [, name = '', quoted, plain] of String(header ?? '').matchAll(PREFERENCE)) {
    const key = name.toLowerCase();
    if (!preferences.has(key)) preferences.set(key, quoted ?? plain ?? '');
  }
  const wait = preferences.get('wait') ?? '';
  return {
    respondAsync: preferences.has('respond-async'),
    ...(/^\d+$/.test(wait) && { waitSeconds: Math.min(Number(wait), LIMITS.waitSeconds) }),
  };
}

/** The Preference-Applied header, where anything was applied. */
export function preferenceApplied({ respondAsync, waitSeconds }: Preference): string | undefined {
  const applied = [respondAsync && 'respond-async', waitSeconds !== undefined && `wait=${waitSeconds}`];
  return applied.filter(Boolean).join(', ') || undefined;
}
