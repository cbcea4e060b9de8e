import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface House {
  root: string;
  /** Writes files, given by their path from the root; parents are made. */
  write(files: Record<string, string>): void;
  [Symbol.dispose](): void;
}

export interface Dependencies {
  dependencies?: string[];
  devDependencies?: string[];
}

/** The text of a project's package.json. */
export function manifest(name: string, { dependencies = [], devDependencies = [] }: Dependencies = {}): string {
  const listed = (names: string[]) => Object.fromEntries(names.map((each) => [each, '*']));
  return JSON.stringify({
    name: `@aigolos/${name}`,
    dependencies: listed(dependencies),
    devDependencies: listed(devDependencies),
  });
}

/** A small workspace in a temporary folder that keeps every rule: what a test plants in it is the only breach. */
export function buildHouse(): House {
  const root = mkdtempSync(join(tmpdir(), 'aigolos-boundaries-'));
  const write = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  const ours = (...names: string[]) => names.map((name) => `@aigolos/${name}`);
  const worker = ours('contracts', 'runtime', 'queue', 'db', 'engines', 'jobs');
  const tested = { devDependencies: ours('testing') };
  const projects: Record<string, Dependencies> = {
    'libs/contracts': { dependencies: ['zod'] },
    'libs/runtime': { dependencies: [...ours('contracts'), 'pino', 'prom-client'] },
    'libs/queue': { dependencies: [...ours('contracts', 'runtime'), 'bullmq', 'ioredis'], ...tested },
    'libs/db': { dependencies: [...ours('contracts', 'runtime'), 'mongoose'], ...tested },
    'libs/engines': { dependencies: [...ours('contracts', 'runtime'), 'node-llama-cpp'] },
    'libs/jobs': { dependencies: ours('contracts', 'runtime', 'queue', 'db'), ...tested },
    'libs/lifecycle': { dependencies: ours('contracts', 'runtime', 'db') },
    'libs/testing': { dependencies: ours('contracts', 'runtime') },
    'apps/gateway': {
      dependencies: [...ours('contracts', 'runtime', 'jobs'), 'fastify', '@fastify/helmet'],
      ...tested,
    },
    'apps/worker-asr': { dependencies: worker, ...tested },
    'apps/cli': { dependencies: [...ours('engines', 'db'), 'mongodb-memory-server'] },
    'apps/e2e': { devDependencies: ours('testing', 'engines') },
  };
  for (const [dir, dependencies] of Object.entries(projects)) {
    write({ [`${dir}/package.json`]: manifest(dir.slice(5), dependencies), [`${dir}/README.md`]: '# A project\n' });
  }
  write({
    'libs/runtime/src/config.ts': `import pino from 'pino';\nimport '@aigolos/contracts';\nexport const env = process.env;\n`,
    'libs/queue/src/queue.ts': `import { Queue } from 'bullmq';\nimport type { Id } from '@aigolos/contracts';\n`,
    'libs/queue/src/queue.test.ts': `import { useRedis } from '@aigolos/testing';\nimport './queue.ts';\n`,
    'libs/jobs/src/jobs.ts': `import '@aigolos/queue';\nimport '@aigolos/db';\n// import '@aigolos/lifecycle'\n`,
    'libs/engines/src/conformance/asr.ts': `import '@aigolos/contracts';\n`,
    'apps/worker-asr/src/main.ts': `import '@aigolos/engines/asr';\nimport '@aigolos/engines/catalogue';\n`,
    'apps/worker-asr/src/main.test.ts': `import '@aigolos/engines/conformance';\nimport '@aigolos/testing';\n`,
    'apps/e2e/src/stack.ts': `import '@aigolos/testing';\nimport '@aigolos/engines/llm';\n`,
  });
  return { root, write, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
