import { isDeepStrictEqual } from 'node:util';
import { AIGolosError } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import { z } from 'zod';
import type { CheckedEntry } from './checked-entries.ts';
import { type Document, type DocumentKind, type RecordOfDocument, toDocument, toRecord } from './documents.ts';
import { readLines } from './json-lines.ts';
import { refuse } from './refusal.ts';

export interface ReadDocument<Kind extends DocumentKind> {
  document: Document;
  record: RecordOfDocument[Kind];
}

/**
 * The documents of an entry, each as an export writes it: what would not come out again as it went in is refused.
 * @throws ValidationError `ARCHIVE_INVALID`, naming the line.
 */
export async function* readDocuments<Kind extends DocumentKind>(
  archive: string,
  kind: Kind,
  entry: CheckedEntry,
): AsyncGenerator<ReadDocument<Kind>> {
  let line = 1;
  try {
    for await (const text of readLines(entry.content)) {
      yield parse(kind, text);
      line += 1;
    }
  } catch (error) {
    if (error instanceof AIGolosError) throw error;
    throw refuse(archive, `${entry.path}, line ${line}: ${reasonOf(error)}`);
  }
}

function parse<Kind extends DocumentKind>(kind: Kind, text: string): ReadDocument<Kind> {
  const document = parseJson(text) as Document;
  const record = toRecord(kind, document);
  if (!isDeepStrictEqual(toDocument(kind, record), document)) throw new Error('it has fields that no export writes');
  return { document, record };
}

/** The parser's own message would quote the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return messageOf(error);
  return error.issues.map(({ path, message }) => `${path.join('.') || 'document'}: ${message}`).join('; ');
}
