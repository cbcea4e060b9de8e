import { type Logger, pino } from 'pino';

export type { Logger };

/** Keys whose values never reach a log, wherever they stand. */
const SECRET_KEYS = ['authorization', 'apiKey', 'api_key', 'secret', 'password', 'cookie', 'token'];

/** A JSON-lines logger on stdout with the service's name on every line. Content (audio, prompts, transcripts) is never logged. */
export function createLogger(options: { service: string; level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service },
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
