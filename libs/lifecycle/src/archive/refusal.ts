import { ValidationError } from '@aigolos/contracts';

/** Why an archive is not taken; names the archive, the entry, and what is wrong with it. */
export function refuse(archive: string, reason: string): ValidationError {
  return new ValidationError(`${archive} is refused: ${reason}`, { code: 'ARCHIVE_INVALID' });
}
