import { z } from 'zod';
import { ValidationError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** What has a lifetime of its own: the audio that came, the record with what it says, the audio that was made, a conversation. */
export const RETENTION_PARTS = ['input', 'result', 'output', 'conversation'] as const;
export type RetentionPart = (typeof RETENTION_PARTS)[number];

const lifetime = (what: string) =>
  z.number().int().nullable().describe(`Seconds ${what}; null: until it is deleted by hand or by cleanup`);

/**
 * How long what is kept, in seconds. 0 for `input` deletes the audio as soon as the job has completed; the input of a
 * failed job stays as long as its record, so that it can be looked into. null keeps until somebody, or the cleanup, deletes.
 */
export const RetentionPolicySchema = z
  .object({
    input: lifetime("from the job's end that the audio sent is kept"),
    result: lifetime("from the job's end that its record and all its files are kept"),
    output: lifetime("from the job's end that the audio made is kept"),
    conversation: lifetime("from a conversation's last turn that it is kept"),
  })
  .meta({ id: 'Retention' });
export type RetentionPolicy = z.infer<typeof RetentionPolicySchema>;

/** What somebody asks for; what is left out is for the next to say: request, account, installation. */
export type RetentionWish = { [Part in RetentionPart]?: number | null | undefined };

/** What an installation grants. */
export interface RetentionOffer {
  defaults: RetentionPolicy;
  /** The longest lifetime that may be asked for. */
  maxSeconds: number;
}

const DAY_SECONDS = 24 * 60 * 60;
const UNITS: Record<string, number> = { s: 1, m: 60, h: 60 * 60, d: DAY_SECONDS };
const RIGHT = 'a whole number with s, m, h or d such as 30d, or never';

/** Where nobody says anything. */
export const DEFAULT_RETENTION: RetentionPolicy = {
  input: 90 * DAY_SECONDS,
  result: 90 * DAY_SECONDS,
  output: 90 * DAY_SECONDS,
  conversation: 90 * DAY_SECONDS,
};

/**
 * A wish as it is written: `input=0, result=30d, output=7d, conversation=never` in one text (the X-Retention header, a
 * form's field, the configuration), or an object with these parts. A number alone is seconds.
 */
export const RetentionWishSchema = z
  .union([z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.null()]))], {
    error: `retention must be a text such as "input=0, result=30d", or an object such as {"input": 0, "result": "30d"}`,
  })
  .transform((given, context): RetentionWish => {
    const wish: RetentionWish = {};
    const problem = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    for (const [part, value] of typeof given === 'string' ? partsOf(given) : Object.entries(given)) {
      if (!isPart(part)) {
        problem(
          `retention has no part ${quoted(part)}; its parts are ${RETENTION_PARTS.join(', ')}, as in "input=0, result=30d"`,
        );
        continue;
      }
      const seconds = toSeconds(value);
      if (Object.hasOwn(wish, part)) problem(`${part} is named twice`, [part]);
      else if (seconds === undefined) problem(`${part} must be ${RIGHT}, not ${quoted(value)}`, [part]);
      else wish[part] = seconds;
    }
    for (const message of outOf(wish, LIMITS.retentionSeconds)) problem(message.text, [message.part]);
    return wish;
  });

/**
 * The lifetimes of one job: what its request asks for stands above what its account has set, and that above the
 * installation's. The account's and the installation's are cut to what the installation grants now.
 * @throws ValidationError where the request asks for more than that.
 */
export function resolveRetention(
  { defaults, maxSeconds }: RetentionOffer,
  { request = {}, account = {} }: { request?: RetentionWish | undefined; account?: RetentionWish | undefined },
): RetentionPolicy {
  assertGranted(request, maxSeconds);
  const resolve = (part: RetentionPart) => {
    if (request[part] !== undefined) return request[part];
    const seconds = account[part] === undefined ? defaults[part] : account[part];
    return seconds === null ? null : Math.min(seconds, maxSeconds);
  };
  return {
    input: resolve('input'),
    result: resolve('result'),
    output: resolve('output'),
    conversation: resolve('conversation'),
  };
}

/** @throws ValidationError where a wish is for longer than the installation grants. */
export function assertGranted(wish: RetentionWish, maxSeconds: number): void {
  const issues = outOf(wish, maxSeconds).map(({ part, text }) => ({ path: `retention.${part}`, message: text }));
  if (issues.length === 0) return;
  throw new ValidationError(issues.map(({ message }) => message).join('; '), { issues, param: 'retention' });
}

function* partsOf(text: string): Generator<[string, string]> {
  for (const item of text.split(',').filter((item) => item.trim() !== '')) {
    const [part = '', ...value] = item.split('=');
    yield [part.trim(), value.join('=').trim()];
  }
}

function isPart(name: string): name is RetentionPart {
  return RETENTION_PARTS.some((part) => part === name);
}

function toSeconds(value: string | number | null): number | null | undefined {
  if (value === null) return null;
  const [, number, unit = 's'] = /^(\d{1,12})\s*([smhd])?$/i.exec(String(value).trim()) ?? [];
  if (number !== undefined) return Number(number) * (UNITS[unit.toLowerCase()] ?? 1);
  return String(value).trim().toLowerCase() === 'never' ? null : undefined;
}

/** Parts that are asked for longer or shorter than can be granted. A record must be there long enough to be read. */
function outOf(wish: RetentionWish, maxSeconds: number): { part: RetentionPart; text: string }[] {
  return RETENTION_PARTS.flatMap((part) => {
    const seconds = wish[part];
    const least = part === 'input' || part === 'output' ? 0 : LIMITS.retentionLeastSeconds;
    if (seconds === undefined || seconds === null || (seconds >= least && seconds <= maxSeconds)) return [];
    return [
      { part, text: `${part} must be ${inWords(least)} to ${inWords(maxSeconds)}, or never, not ${inWords(seconds)}` },
    ];
  });
}

function inWords(seconds: number): string {
  return seconds >= DAY_SECONDS && seconds % DAY_SECONDS === 0 ? `${seconds / DAY_SECONDS}d` : `${seconds}s`;
}

function quoted(value: string | number | null): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
