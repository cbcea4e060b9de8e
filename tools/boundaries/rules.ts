/** The rules of the house. A project's short name is its folder's name under apps/ or libs/. */

export const LAYERS = ['contract', 'runtime', 'adapter', 'domain', 'sdk', 'testing', 'app'] as const;
export type Layer = (typeof LAYERS)[number];

/** The layer of each lib; what lies under apps/ is of the layer `app`. */
export const LIB_LAYERS: Record<string, Layer> = {
  contracts: 'contract',
  runtime: 'runtime',
  egress: 'runtime',
  queue: 'adapter',
  db: 'adapter',
  'blob-store': 'adapter',
  media: 'adapter',
  engines: 'adapter',
  jobs: 'domain',
  lifecycle: 'domain',
  sdk: 'sdk',
  testing: 'testing',
};

/** What the sources of a layer may import. No layer imports itself: adapters, domains and apps stand side by side. */
export const MAY_IMPORT: Record<Layer, readonly Layer[]> = {
  contract: [],
  runtime: ['contract'],
  adapter: ['contract', 'runtime'],
  domain: ['contract', 'runtime', 'adapter'],
  // It runs where nothing else of ours does: in other people's programs and pages.
  sdk: ['contract'],
  testing: ['contract', 'runtime', 'adapter', 'domain'],
  app: ['contract', 'runtime', 'adapter', 'domain', 'sdk'],
};

/** Only test files may import these, and only as devDependencies. */
export const TEST_ONLY_LIBS: readonly string[] = ['testing'];

/** Sources that only tests run, beside *.test.ts and test/: helpers of tests and suites that adapters' tests call. */
export const TEST_SOURCES: readonly RegExp[] = [
  /\.test\.ts$/,
  /\.fake\.ts$/,
  /(^|\/)test\//,
  /(^|\/)conformance\//,
  /(^|\/)vitest\.config\.ts$/,
];

/** Apps that are nothing but tests. */
export const TEST_PROJECTS: readonly string[] = ['e2e'];

/** The doors of a lib that each app may use; `tests` are added for test files. An app that is not named may use none. */
export const SUBPATHS: Record<string, { apps: Record<string, readonly string[]>; tests: readonly string[] }> = {
  engines: {
    apps: {
      'worker-asr': ['asr', 'vad', 'catalogue'],
      'worker-llm': ['llm', 'catalogue'],
      'worker-tts': ['tts', 'catalogue'],
      // `asr` for the word error rate, by which the demo judges its transcript.
      cli: ['asr', 'catalogue'],
      e2e: ['asr', 'llm', 'tts', 'catalogue', 'conformance'],
    },
    tests: ['conformance'],
  },
};

/** Packages that talk to an outside technology, and the projects that may know them. `*` stands for the rest of a name. */
export const OWNERS: Record<string, readonly string[]> = {
  mongoose: ['db'],
  mongodb: ['db'],
  'mongodb-memory-server*': ['cli'],
  bullmq: ['queue'],
  ioredis: ['queue'],
  redis: ['queue'],
  flydrive: ['blob-store'],
  '@aws-sdk/*': ['blob-store'],
  'node-llama-cpp': ['engines'],
  'sherpa-onnx-node': ['engines'],
  '@echogarden/*': ['engines'],
  fastify: ['gateway'],
  'fastify-*': ['gateway'],
  '@fastify/*': ['gateway'],
  '@bull-board/*': ['gateway'],
  pino: ['runtime'],
  'prom-client': ['runtime'],
  '@opentelemetry/*': ['runtime'],
  testcontainers: ['testing'],
};

/** The projects whose sources may read `process.env`; the bootstrap under tools/ is not a project. */
export const ENV_READERS: readonly string[] = ['runtime'];
