import { AIGolosError } from '@aigolos/contracts';
import { z } from 'zod';
import { DOCUMENT_KINDS, type DocumentKind, KIND_SINCE } from './documents.ts';
import { refuse } from './refusal.ts';

/** 2 has responses, voice turns and files; archives of version 1 are read too. */
export const SCHEMA_VERSION = 3;
export const MANIFEST_NAME = 'manifest.json';
/** It is held in memory, here and where it is read; this is enough for some 350,000 files. */
export const MANIFEST_MAX_BYTES = 64 * 1024 ** 2;

const SAFE_PART = '(?!\\.{1,2}(?:/|$))[\\w.-]+';
const FILE_PATH = new RegExp(`^files/[a-z]{2,8}_[0-9a-z]{1,64}(?:/${SAFE_PART})+$`);
const documentOrder = new Map(DOCUMENT_KINDS.map((kind, index) => [pathOfDocuments(kind), index]));
const documentPaths = new Map<string, DocumentKind>(DOCUMENT_KINDS.map((kind) => [pathOfDocuments(kind), kind]));

const FileSchema = z.strictObject({
  path: z.string(),
  bytes: z.number().int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** One file of an archive; its hash is lower-case hex. */
export type ArchivedFile = z.infer<typeof FileSchema>;

/** What an archive holds. No time stands in it: two exports of the same data have the same manifest. */
const ManifestSchema = z.strictObject({
  format: z.literal('aigolos-export'),
  schemaVersion: z.number().int().min(1).max(SCHEMA_VERSION),
  account: z.strictObject({ id: z.string(), username: z.string().min(1) }),
  documents: z.strictObject(
    Object.fromEntries(
      DOCUMENT_KINDS.map((kind) => {
        const count = z.number().int().min(0);
        return [kind, KIND_SINCE[kind] === undefined ? count : count.default(0)];
      }),
    ) as Record<DocumentKind, z.ZodDefault<z.ZodNumber>>,
  ),
  /** In their order in the archive: documents, then files by their paths. */
  files: z.array(FileSchema),
});
export type Manifest = z.infer<typeof ManifestSchema>;

export function pathOfDocuments(kind: DocumentKind): string {
  return `documents/${kind}.jsonl`;
}

/** Where a blob lies in an archive. */
export function pathOfBlob(key: string): string {
  return `files/${key}`;
}

/** What a path of an archive stands for. */
export function meaningOf(path: string): { documents: DocumentKind } | { blobKey: string; record: string } {
  const documents = documentPaths.get(path);
  if (documents) return { documents };
  const blobKey = path.slice('files/'.length);
  return { blobKey, record: blobKey.slice(0, blobKey.indexOf('/')) };
}

/** Documents in the order of their kinds, then files in that of the code units of their paths. */
export function inArchiveOrder(a: { path: string }, b: { path: string }): number {
  const place = ({ path }: { path: string }) => documentOrder.get(path) ?? documentOrder.size;
  if (place(a) !== place(b)) return place(a) - place(b);
  return a.path < b.path ? -1 : Number(a.path > b.path);
}

/** @throws AIGolosError `EXPORT_FAILED` where it would be too large to be read again. */
export function writeManifest(manifest: Manifest): string {
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  if (Buffer.byteLength(text) <= MANIFEST_MAX_BYTES) return text;
  throw new AIGolosError(`${manifest.account.username} has too many files for one export: ${manifest.files.length}.`, {
    code: 'EXPORT_FAILED',
  });
}

/** @throws ValidationError `ARCHIVE_INVALID` with the reason. */
export function readManifest(archive: string, text: string): Manifest {
  const claimed = parseJson(archive, text);
  const version = z.looseObject({ format: z.literal('aigolos-export'), schemaVersion: z.number() }).safeParse(claimed);
  if (!version.success) throw refuse(archive, `its ${MANIFEST_NAME} is not that of an export of AIGolos`);
  if (version.data.schemaVersion > SCHEMA_VERSION) {
    throw refuse(
      archive,
      `it was made by a newer version of AIGolos (schema version ${version.data.schemaVersion}; this one reads up to ${SCHEMA_VERSION})`,
    );
  }
  const parsed = ManifestSchema.safeParse(claimed);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(archive, `${MANIFEST_NAME}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  checkPaths(archive, parsed.data);
  return parsed.data;
}

function checkPaths(archive: string, { schemaVersion, files }: Manifest): void {
  const expected = DOCUMENT_KINDS.filter((kind) => (KIND_SINCE[kind] ?? 1) <= schemaVersion);
  const missing = new Set(expected.map(pathOfDocuments));
  for (const [index, { path }] of files.entries()) {
    const before = files[index - 1];
    if (!missing.delete(path) && !FILE_PATH.test(path)) {
      throw refuse(archive, `${MANIFEST_NAME} lists ${JSON.stringify(path)}, which is no path of an export`);
    }
    if (before && inArchiveOrder(before, { path }) >= 0) {
      throw refuse(archive, `${MANIFEST_NAME} lists ${path} twice, or its files are not in order`);
    }
  }
  const [absent] = missing;
  if (absent !== undefined) throw refuse(archive, `${MANIFEST_NAME} does not list ${absent}`);
}

function parseJson(archive: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(archive, `its ${MANIFEST_NAME} is not JSON`);
  }
}
