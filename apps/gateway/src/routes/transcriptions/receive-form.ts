import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import { AIGolosError, ValidationError } from '@aigolos/contracts';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

type Field = string | string[] | Record<string, string>;

/** What a form with one file said. Fields whose name ends in `[]` are lists; `a[b]` and `a[c]` are one object `a`. */
export interface ReceivedForm {
  file: SpooledFile;
  fields: Record<string, Field>;
}

export interface ReceiveOptions {
  blobs: Pick<BlobStore, 'receive' | 'discard'>;
  maxBytes: number;
}

const FILE_FIELD = 'file';
const FORM_LIMITS = { fieldSize: 64 * 1024, fields: 100, files: 2, headerPairs: 50 };
/** What a form takes beside its file. */
const FORM_BYTES = 1024 * 1024;

/**
 * Streams a form's file to local disk, in memory that does not grow with it, and collects its fields, in whatever order
 * they come. The caller must commit or discard the file; where this throws, nothing is left.
 * @throws ValidationError where the form is not one file and its fields, whole and within the limits.
 */
export async function receiveForm(request: FastifyRequest, { blobs, maxBytes }: ReceiveOptions): Promise<ReceivedForm> {
  const fields = Object.create(null) as ReceivedForm['fields'];
  let file: SpooledFile | undefined;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + FORM_BYTES) throw tooLarge(maxBytes);
  try {
    const limits = { ...FORM_LIMITS, fileSize: maxBytes + 1 };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'file') {
        assertExpected(part, file);
        file = await blobs.receive(part.file, { maxBytes });
      } else {
        if (part.valueTruncated) throw new ValidationError(`${part.fieldname} is too long.`, { param: part.fieldname });
        addField(fields, part.fieldname, String(part.value));
      }
    }
    if (!file) throw new ValidationError('file is required: the audio, as a part of the form', { param: FILE_FIELD });
    return { file, fields };
  } catch (error) {
    if (file) await blobs.discard(file);
    // What is still coming is read and dropped, so that the client gets to read the answer.
    request.raw.unpipe();
    request.raw.resume();
    throw isTelling(error) ? error : malformed(error);
  }
}

function assertExpected({ fieldname }: MultipartFile, earlier: SpooledFile | undefined): void {
  if (fieldname !== FILE_FIELD) {
    throw new ValidationError(`The audio must be in the field "file", not "${fieldname}".`, { param: FILE_FIELD });
  }
  if (earlier) throw new ValidationError('file was sent twice; one request takes one file.', { param: FILE_FIELD });
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

function tooLarge(maxBytes: number): ValidationError {
  return new ValidationError(`The file is larger than the limit of ${maxBytes} bytes.`, {
    code: 'AUDIO_TOO_LARGE',
    param: FILE_FIELD,
  });
}
