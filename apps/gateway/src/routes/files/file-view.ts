import type { FileView } from '@aigolos/contracts';
import type { FileRecord } from '@aigolos/db';
import { unixSeconds } from '../../answers/job-view.ts';

/** A file as its owner sees it. */
export function toFileView({ _id: id, bytes, createdAt, expiresAt, filename, purpose }: FileRecord): FileView {
  return {
    id,
    object: 'file',
    bytes,
    created_at: unixSeconds(createdAt),
    ...(expiresAt && { expires_at: unixSeconds(expiresAt) }),
    filename,
    purpose,
    status: 'processed',
  };
}
