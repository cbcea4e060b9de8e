import { addAbortSignal } from 'node:stream';
import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import { AIGolosError, type ErrorCode, ValidationError } from '@aigolos/contracts';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

type Field = string | string[] | Record<string, string>;

/** What a form with one file said. Fields whose name ends in `[]` are lists; `a[b]` and `a[c]` are one object `a`. */
export interface ReceivedForm {
  file: SpooledFile;
  /** As the client calls it: never a part of a path. */
  filename: string;
  fields: Record<string, Field>;
}

export interface ReceiveOptions {
  blobs: Pick<BlobStore, 'receive' | 'discard'>;
  maxBytes: number;
}

/** The file that a form takes: in which field, what it is, and what the error is called where it is too large. */
export interface ExpectedFile {
  field: string;
  what: string;
  tooLarge: ErrorCode;
}

export const AUDIO_FILE: ExpectedFile = { field: 'file', what: 'audio', tooLarge: 'AUDIO_TOO_LARGE' };

const FORM_LIMITS = { fieldSize: 64 * 1024, fields: 100, files: 2, headerPairs: 50 };
/** What a form takes beside its file. */
const FORM_BYTES = 1024 * 1024;

/**
 * Streams a form's file to local disk, in memory that does not grow with it, and collects its fields, in whatever order
 * they come. The caller must commit or discard the file; where this throws, nothing is left.
 * @throws ValidationError where the form is not one file and its fields, whole and within the limits; AuthError where the
 * caller's key is refused meanwhile.
 */
export async function receiveForm(
  request: FastifyRequest,
  { blobs, maxBytes, takes }: ReceiveOptions & { takes: ExpectedFile },
): Promise<ReceivedForm> {
  const fields = Object.create(null) as ReceivedForm['fields'];
  let file: SpooledFile | undefined;
  let filename = '';
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + FORM_BYTES) throw tooLarge(maxBytes, takes);
  try {
    const limits = { ...FORM_LIMITS, fileSize: maxBytes + 1 };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'file') {
        assertExpected(part, file, takes);
        filename = part.filename;
        addAbortSignal(request.keyRefused, part.file);
        file = await blobs.receive(part.file, { maxBytes }).catch((error: unknown) => {
          throw isTooLarge(error) ? tooLarge(maxBytes, takes) : error;
        });
      } else {
        if (part.valueTruncated) throw new ValidationError(`${part.fieldname} is too long.`, { param: part.fieldname });
        addField(fields, part.fieldname, String(part.value));
      }
    }
    const { field, what } = takes;
    if (!file) throw new ValidationError(`${field} is required: the ${what}, as a part of the form`, { param: field });
    return { file, filename, fields };
  } catch (error) {
    if (file) await blobs.discard(file);
    // What is still coming is read and dropped, so that the client gets to read the answer.
    request.raw.unpipe();
    request.raw.resume();
    request.keyRefused.throwIfAborted();
    throw isTelling(error) ? error : malformed(error);
  }
}

function assertExpected(
  { fieldname }: MultipartFile,
  earlier: SpooledFile | undefined,
  { field, what }: ExpectedFile,
): void {
  if (fieldname !== field) {
    throw new ValidationError(`The ${what} must be in the field "${field}", not "${fieldname}".`, { param: field });
  }
  if (earlier) throw new ValidationError(`${field} was sent twice; one request takes one file.`, { param: field });
}

const BRACKETED = /^([^[\]]+)\[([^[\]]*)\]$/;

function addField(fields: ReceivedForm['fields'], fieldName: string, value: string): void {
  const [, name = fieldName, key] = BRACKETED.exec(fieldName) ?? [];
  const earlier = fields[name];
  if (typeof earlier === 'object' && !Array.isArray(earlier)) {
    if (!key || Object.hasOwn(earlier, key)) throw sentTwice(fieldName);
    earlier[key] = value;
  } else if (key) {
    if (earlier !== undefined) throw sentTwice(name);
    fields[name] = Object.assign(Object.create(null) as Record<string, string>, { [key]: value });
  } else if (key === '' || Array.isArray(earlier)) fields[name] = [...[earlier ?? []].flat(), value];
  else if (earlier === undefined) fields[name] = value;
  else fields[name] = [earlier, value];
}

function sentTwice(name: string): ValidationError {
  return new ValidationError(`${name} was sent twice, in different forms.`, { param: name });
}

/** Errors that say by themselves what is wrong: ours, the framework's, the disk's. */
function isTelling(error: unknown): boolean {
  if (error instanceof AIGolosError) return true;
  if (!(error instanceof Error && 'code' in error)) return false;
  return 'syscall' in error || String(error.code).startsWith('FST_');
}

function malformed(error: unknown): ValidationError {
  return new ValidationError('The upload was cut off, or it is not well-formed multipart/form-data.', {
    code: 'UPLOAD_INTERRUPTED',
    cause: error,
  });
}

/** The blob store's word for it, whatever the file is. */
function isTooLarge(error: unknown): boolean {
  return error instanceof AIGolosError && error.code === 'AUDIO_TOO_LARGE';
}

function tooLarge(maxBytes: number, { field, tooLarge: code }: ExpectedFile): ValidationError {
  return new ValidationError(`The file is larger than the limit of ${maxBytes} bytes.`, { code, param: field });
}
