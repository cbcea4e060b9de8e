import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const FileSchema = z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string() });

/** Written last into a model's folder: where it is, the model is complete. */
const ManifestSchema = z.object({
  id: z.string(),
  /** Where it came from, in words. */
  source: z.string(),
  installedAt: z.iso.datetime(),
  /** The files as their author published them. */
  published: z.array(FileSchema),
  /** The files as they lie in the folder; they differ from the published ones where an engine needs them prepared. */
  installed: z.array(FileSchema),
});
export type Manifest = z.infer<typeof ManifestSchema>;
export type ManifestFile = z.infer<typeof FileSchema>;

const MANIFEST_NAME = 'aigolos-model.json';

/** The manifest of a model's folder; undefined where there is none that can be read. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return ManifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST_NAME), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
}
