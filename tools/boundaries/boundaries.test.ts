import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBreaches } from './find-breaches.ts';
import { buildHouse, manifest } from './house.fake.ts';
import { readWorkspace } from './workspace.ts';

interface Planted {
  rule: string;
  files: Record<string, string>;
  breaches: string[];
}

const planted: Planted[] = [
  {
    rule: 'a contract imports nothing of ours',
    files: {
      'libs/contracts/package.json': manifest('contracts', { dependencies: ['@aigolos/runtime'] }),
    },
    breaches: [
      'import cycle: contracts -> runtime -> contracts',
      'libs/contracts/package.json: imports @aigolos/runtime; the layer contract may import no other only',
    ],
  },
  {
    rule: 'an adapter does not import another adapter, not even as a type',
    files: {
      'libs/queue/package.json': manifest('queue', { dependencies: ['@aigolos/db'] }),
      'libs/queue/src/queue.ts': `\nexport type Db = typeof import('@aigolos/db');\n`,
      'libs/queue/src/queue.test.ts': '',
    },
    breaches: [
      'libs/queue/package.json: imports @aigolos/db; the layer adapter may import contract, runtime only',
      'libs/queue/src/queue.ts:2: imports @aigolos/db; the layer adapter may import contract, runtime only',
    ],
  },
  {
    rule: 'a domain does not import another domain',
    files: { 'libs/lifecycle/package.json': manifest('lifecycle', { dependencies: ['@aigolos/jobs'] }) },
    breaches: [
      'libs/lifecycle/package.json: imports @aigolos/jobs; the layer domain may import contract, runtime, adapter only',
    ],
  },
  {
    rule: 'a lib does not import an app, nor an app another app',
    files: {
      'libs/jobs/package.json': manifest('jobs', { dependencies: ['@aigolos/cli'] }),
      'libs/jobs/src/jobs.ts': '',
      'apps/e2e/package.json': manifest('e2e', { devDependencies: ['@aigolos/gateway'] }),
      'apps/e2e/src/stack.ts': '',
    },
    breaches: [
      'apps/e2e/package.json: imports @aigolos/gateway; the layer app may import contract, runtime, adapter, domain, sdk only',
      'libs/jobs/package.json: imports @aigolos/cli; the layer domain may import contract, runtime, adapter only',
    ],
  },
  {
    rule: 'testing is for test files',
    files: { 'libs/queue/src/queue.ts': `import { useRedis } from '@aigolos/testing';` },
    breaches: [
      'libs/queue/src/queue.ts:1: imports @aigolos/testing, which is a devDependency only',
      'libs/queue/src/queue.ts:1: imports @aigolos/testing, which is for test files and devDependencies only',
    ],
  },
  {
    rule: 'testing is a devDependency',
    files: { 'libs/lifecycle/package.json': manifest('lifecycle', { dependencies: ['@aigolos/testing'] }) },
    breaches: [
      'libs/lifecycle/package.json: imports @aigolos/testing, which is for test files and devDependencies only',
    ],
  },
  {
    rule: 'the gateway does not know the engines',
    files: {
      'apps/gateway/package.json': manifest('gateway', { dependencies: ['@aigolos/engines'] }),
      'apps/gateway/src/app.ts': `export { pull } from '@aigolos/engines/catalogue';`,
    },
    breaches: ['apps/gateway/src/app.ts:1: imports @aigolos/engines/catalogue; gateway may use nothing of it'],
  },
  {
    rule: 'a worker uses its own engines only',
    files: { 'apps/worker-asr/src/main.ts': `const load = () => import('@aigolos/engines/llm');` },
    breaches: [
      'apps/worker-asr/src/main.ts:1: imports @aigolos/engines/llm; worker-asr may use asr, vad, catalogue of it',
    ],
  },
  {
    rule: 'conformance suites are for test files',
    files: { 'apps/worker-asr/src/main.ts': `import '@aigolos/engines/conformance';` },
    breaches: [
      'apps/worker-asr/src/main.ts:1: imports @aigolos/engines/conformance; worker-asr may use asr, vad, catalogue of it',
    ],
  },
  {
    rule: 'an outside technology is known by its owner alone',
    files: {
      'libs/jobs/src/jobs.ts': `import 'mongoose';\nimport * as queues from 'bullmq';\nimport '@aws-sdk/client-s3';`,
      'libs/db/src/database.ts': `import 'node-llama-cpp';\nimport 'pino/file';\nrequire('sherpa-onnx-node');`,
      'apps/cli/package.json': manifest('cli', { dependencies: ['@fastify/helmet'], devDependencies: ['ioredis'] }),
    },
    breaches: [
      'apps/cli/package.json: knows @fastify/helmet, which belongs to gateway',
      'apps/cli/package.json: knows ioredis, which belongs to queue',
      'libs/db/src/database.ts:1: knows node-llama-cpp, which belongs to engines',
      'libs/db/src/database.ts:2: knows pino, which belongs to runtime',
      'libs/db/src/database.ts:3: knows sherpa-onnx-node, which belongs to engines',
      'libs/jobs/src/jobs.ts:1: knows mongoose, which belongs to db',
      'libs/jobs/src/jobs.ts:2: knows bullmq, which belongs to queue',
      'libs/jobs/src/jobs.ts:3: knows @aws-sdk/client-s3, which belongs to blob-store',
    ],
  },
  {
    rule: 'the environment is read in runtime only, in whatever words',
    files: {
      'libs/jobs/src/env-a.ts': `export const a = process.env.HOME;\nexport const b = process['env'];`,
      'libs/jobs/src/env-b.ts': `import { env } from 'node:process';\nconst { env: c } = process;\nglobalThis.process.env;`,
      'libs/jobs/src/env-c.ts': `// process.env is read in runtime\nexport const text = 'process.env';`,
    },
    breaches: [
      'libs/jobs/src/env-a.ts:1: reads process.env; only runtime may',
      'libs/jobs/src/env-a.ts:2: reads process.env; only runtime may',
      'libs/jobs/src/env-b.ts:1: reads process.env; only runtime may',
      'libs/jobs/src/env-b.ts:2: reads process.env; only runtime may',
      'libs/jobs/src/env-b.ts:3: reads process.env; only runtime may',
    ],
  },
  {
    rule: 'an import of ours is named in package.json',
    files: { 'apps/cli/src/main.ts': `import '@aigolos/runtime';\nimport '@aigolos/nowhere';` },
    breaches: [
      'apps/cli/src/main.ts:1: imports @aigolos/runtime, which package.json does not name',
      'apps/cli/src/main.ts:2: there is no project @aigolos/nowhere',
    ],
  },
  {
    rule: 'projects meet by name, not by path',
    files: { 'apps/cli/src/main.ts': `import '../../../libs/db/src/secret.ts';` },
    breaches: ['apps/cli/src/main.ts:1: reaches into libs/db by path; import @aigolos/db'],
  },
  {
    rule: 'a project says what it is: a README, a layer, its own name',
    files: { 'libs/attic/package.json': manifest('cellar') },
    breaches: [
      'libs/attic/package.json: is named @aigolos/cellar, not @aigolos/attic',
      'libs/attic: has no README.md',
      'libs/attic: has no layer; name it in tools/boundaries/rules.ts',
    ],
  },
];

describe('boundaries', () => {
  test('a house that keeps the rules has no breach', () => {
    using house = buildHouse();
    expect(findBreaches(readWorkspace(house.root))).toEqual([]);
  });

  test.each(planted)('$rule', ({ files, breaches }) => {
    using house = buildHouse();
    house.write(files);
    expect(findBreaches(readWorkspace(house.root))).toEqual(breaches);
  });

  test('a cycle is told once, by whichever of its projects it is entered', () => {
    using house = buildHouse();
    house.write({
      'libs/contracts/package.json': manifest('contracts', { dependencies: ['@aigolos/db'] }),
      'libs/runtime/src/config.ts': `import '@aigolos/contracts';`,
    });
    const cycles = findBreaches(readWorkspace(house.root)).filter((each) => each.startsWith('import cycle'));
    expect(cycles).toEqual([
      'import cycle: contracts -> db -> contracts',
      'import cycle: contracts -> db -> runtime -> contracts',
    ]);
  });

  test('a source that does not parse is an error, not a file without imports', () => {
    using house = buildHouse();
    house.write({ 'apps/cli/src/main.ts': `import from;` });
    expect(() => readWorkspace(house.root)).toThrow('apps/cli/src/main.ts does not parse');
  });

  test('the command ends with 1 and the breach where there is one, with 0 where there is none', () => {
    using house = buildHouse();
    const run = () =>
      execFileSync(process.execPath, [join(import.meta.dirname, 'check.ts'), house.root], { stdio: 'pipe' });
    expect(run().toString()).toContain('12 projects keep the boundaries');
    house.write({ 'apps/cli/src/main.ts': `import 'mongoose';` });
    expect(run).toThrow('apps/cli/src/main.ts:1: knows mongoose, which belongs to db');
  });
});
