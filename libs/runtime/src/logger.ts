import { type Logger, pino } from 'pino';
import { toLoggedError } from './logged-error.ts';

export type { Logger };

/** Keys whose values never reach a log, in the logged object and two levels below. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'apiKey',
  'api_key',
  'key',
  'secret',
  'secrets',
  'password',
  'token',
  'accessKeyId',
  'secretAccessKey',
];
const CENSOR = '[redacted]';

/**
 * What a secret looks like wherever it stands: in a message, an error of a driver, its causes and their stacks. A line is JSON,
 * so a secret ends at a quote or a backslash at the latest.
 */
const SECRET_TEXTS: [pattern: RegExp, instead: string][] = [
  // Our own keys, secrets of webhooks, and the keys of other services.
  [/\b(?:ag_[\da-f]{32}|sk|whsec)[-_][\w+/=-]{8,}/g, CENSOR],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${CENSOR}`],
  // What stands before the host of an address: a database's password, say.
  [/\b([a-z][a-z\d+.-]*:\/\/)[^\s/"\\?#@]+@/gi, `$1${CENSOR}@`],
  // An address's query: signatures, tokens, and what was searched for.
  [/\b([a-z][a-z\d+.-]*:\/\/[^\s"\\?#]+)\?[^\s"\\#]+/gi, `$1?${CENSOR}`],
];

/** A JSON-lines logger on stdout with the service's name on every line. Content (audio, prompts, transcripts) is never logged, nor is a secret. */
export function createLogger(options: { service: string; level: string }, out?: { write(line: string): void }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: CENSOR },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: toLoggedError },
      hooks: { streamWrite: withoutSecrets },
    },
    ...(out ? [out] : []),
  );
}

function withoutSecrets(line: string): string {
  return SECRET_TEXTS.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line);
}
