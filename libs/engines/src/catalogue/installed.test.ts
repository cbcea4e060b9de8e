import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogueModel, MODEL_CATALOGUE } from './catalogue.ts';
import { fingerprint } from './file-hash.ts';
import { modelOf } from './hub.fake.ts';
import { installedModel, listModels, removeModel, verifyModel } from './installed.ts';
import { importModel } from './pull-model.ts';

const ID = 'whisper-tiny.en';
const files = { 'model.bin': Buffer.from('weights'), 'config.json': Buffer.from('{}') };
let modelsDir: string;
let source: string;

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'aigolos-models-'));
  source = await mkdtemp(join(tmpdir(), 'aigolos-source-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content);
  await importModel(ID, source, { modelsDir, model: modelOf(files, { id: ID }) });
});
afterEach(async () => {
  await rm(modelsDir, { recursive: true, force: true });
  await rm(source, { recursive: true, force: true });
});

describe('installed models', () => {
  it('are listed with the catalogue', async () => {
    const listed = await listModels(modelsDir);
    expect(listed.map(({ id }) => id)).toEqual(MODEL_CATALOGUE.map(({ id }) => id));
    expect(listed.filter(({ installed }) => installed).map(({ id }) => id)).toEqual([ID]);
  });

  it('pass verification as they came, and name the file that changed or went', async () => {
    expect(await verifyModel(ID, modelsDir)).toEqual([]);
    await writeFile(join(modelsDir, ID, 'model.bin'), 'weighty');
    await rm(join(modelsDir, ID, 'config.json'));
    expect(await verifyModel(ID, modelsDir)).toEqual([
      `${ID}: model.bin has changed since it was installed.`,
      `${ID}: config.json is missing.`,
    ]);
  });

  it('do not count as installed with a file of another size', async () => {
    await appendFile(join(modelsDir, ID, 'model.bin'), 'more');
    expect(await installedModel(ID, modelsDir)).toBeUndefined();
  });

  it('are gone after removal, with everything half fetched', async () => {
    await mkdir(join(modelsDir, '.work', ID), { recursive: true });
    expect(await removeModel(ID, modelsDir)).toBe(true);
    expect(await removeModel(ID, modelsDir)).toBe(false);
    expect(await readdir(modelsDir)).toEqual(['.work']);
    expect(await readdir(join(modelsDir, '.work'))).toEqual([]);
  });

  it('cannot be imported from a folder without the right files', async () => {
    await removeModel(ID, modelsDir);
    await writeFile(join(source, 'model.bin'), 'weighty');
    const importing = importModel(ID, source, { modelsDir, model: modelOf(files, { id: ID }) });
    await expect(importing).rejects.toThrow('model.bin is not the expected file');
  });
});

describe('the catalogue', () => {
  it('names the models there are when asked for another', () => {
    expect(() => catalogueModel('gpt-9')).toThrow(/no model "gpt-9".*whisper-base/);
  });

  it('has one default of each kind, requirements that exist, and a source for every file', () => {
    for (const kind of ['asr', 'llm', 'tts']) {
      expect(MODEL_CATALOGUE.filter((model) => model.kind === kind && model.isDefault)).toHaveLength(1);
    }
    for (const { requires, files, sources } of MODEL_CATALOGUE) {
      for (const id of requires ?? []) expect(() => catalogueModel(id)).not.toThrow();
      const packaged = sources.filter((source) => source.type === 'pypi');
      const paths = files.map(({ path }) => path).toSorted();
      for (const { members } of packaged) expect(Object.keys(members).toSorted()).toEqual(paths);
    }
  });

  it('hashes a folder by its listing, whatever the order on the disk', async () => {
    const other = await mkdtemp(join(tmpdir(), 'aigolos-other-'));
    for (const name of Object.keys(files).toReversed()) await writeFile(join(other, name), files[name as 'model.bin']);
    expect(await fingerprint(other)).toEqual(await fingerprint(source));
    await rm(other, { recursive: true });
  });
});
