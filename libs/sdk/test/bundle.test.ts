import { join } from 'node:path';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';

/** What a page would load. */
async function bundle(): Promise<Rolldown.OutputChunk> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: join(import.meta.dirname, '..', 'src', 'index.ts'), formats: ['es'] },
      rolldownOptions: { external: [] },
    },
  });
  const [output] = built as Rolldown.RolldownOutput[];
  return output?.output[0] as Rolldown.OutputChunk;
}

test('the package bundles for a browser: one small file, without modules of Node and without schemas', async () => {
  const { code, imports, dynamicImports, moduleIds } = await bundle();
  expect([...imports, ...dynamicImports]).toEqual([]);
  expect(moduleIds.filter((id) => /browser-external|node_modules\/zod|libs\/contracts/.test(id))).toEqual([]);
  expect(code).toContain('/v1/audio/transcriptions');
  expect(code.length).toBeLessThan(20_000);
});
