import { ApiError, ConnectionError } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';

/** What shells are told by the commands that call the gateway; docs/cli.md has them too. */
export const EXIT = {
  /** A job ended without a result. */
  failed: 1,
  /** An option, a file or a request is wrong: the same command will not succeed. */
  wrongUse: 2,
  /** The gateway cannot be reached, or serves nobody now: the same command may succeed later. */
  unreachable: 3,
} as const;

/** Something thrown as what the user is told. Of what nobody foresaw, itself. */
export function toCliError(error: unknown): unknown {
  if (error instanceof ConnectionError) return new CliError(error.message, EXIT.unreachable);
  if (!(error instanceof ApiError)) return error;
  const later = error.status === 429 || error.status >= 500;
  const where = error.requestId === undefined ? '' : ` (request ${error.requestId})`;
  return later
    ? new CliError(`${error.message}${where}`, EXIT.unreachable)
    : new CliError(error.message, EXIT.wrongUse);
}
