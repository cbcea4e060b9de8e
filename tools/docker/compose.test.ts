import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { ownServices, readComposeFile } from './compose.ts';
import { ROOT, readDockerfile } from './dockerfile.ts';

const stages = readDockerfile();
const file = readComposeFile();
const services = ownServices(file);
const serviceEnv = (name: string) => {
  const service = file.services[name];
  return { ...stages.get(service?.build?.target ?? '')?.env, ...service?.environment };
};

async function schemaOf(app: string): Promise<z.ZodObject> {
  const { ConfigSchema } = (await import(join(ROOT, 'apps', app, 'src', 'config.ts'))) as { ConfigSchema: z.ZodObject };
  return ConfigSchema;
}

/** What the Node, Python and shell in an image read, not our apps. */
const NOT_OURS = new Set(['NODE_ENV', 'PYTHONDONTWRITEBYTECODE', 'HEALTHCHECK_URL']);

describe('docker-compose.yml', () => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, 'compose-spec', 'compose-spec.json'), 'utf8'),
  ) as object;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);

  test('is a compose file by the specification', () => {
    validate(file);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('would not be one with a field that Compose does not know', () => {
    expect(validate({ services: { redis: { image: 'redis', restarts: 'always' } } })).toBe(false);
  });

  test('every target it builds is in the Dockerfile', () => {
    expect(services.filter(([, { target }]) => !stages.has(target))).toEqual([]);
    expect(services.length).toBeGreaterThan(0);
  });

  test('every volume and network that a service uses is declared, and none in vain', () => {
    const all = Object.values(file.services);
    const volumes = all.flatMap((service) => (service.volumes ?? []).map((volume) => volume.replace(/:.*/, '')));
    expect([...new Set(volumes)].toSorted()).toEqual(Object.keys(file.volumes).toSorted());
    const networks = all.flatMap((service) => service.networks ?? []);
    expect([...new Set(networks)].toSorted()).toEqual(Object.keys(file.networks).toSorted());
  });

  test('whoever waits for a healthy service waits for one that tells its health', () => {
    for (const [name, service] of Object.entries(file.services)) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        if (condition !== 'service_healthy') continue;
        expect(file.services[other]?.healthcheck, `${name} waits for ${other}`).toBeDefined();
      }
    }
  });

  test('only the gateway has a port outside, by default for this machine alone', () => {
    const published = Object.entries(file.services).filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['gateway', ['127.0.0.1:8787:8787']]]);
  });

  test('nothing is in the way of several copies of a service', () => {
    const fixed = Object.entries(file.services).filter(([, { container_name }]) => container_name !== undefined);
    expect(fixed).toEqual([]);
  });

  test('the servers cannot be reached from outside, nor reach out', () => {
    for (const name of ['redis', 'mongo']) expect(file.services[name]?.networks).toEqual(['inner']);
    expect(file.networks['inner']?.internal).toBe(true);
  });

  test('Redis keeps what it is told, and never evicts', () => {
    const command = file.services['redis']?.command?.join(' ');
    expect(command).toContain('--appendonly yes --appendfsync everysec --maxmemory-policy noeviction');
  });

  test.each(services)('%s cannot write into its image', (_name, service) => expect(service.read_only).toBe(true));

  test.each(Object.keys(file.services))('%s runs with no rights that it does not need', (name) => {
    const service = file.services[name];
    expect(service?.cap_drop).toEqual(['ALL']);
    expect(service?.security_opt).toEqual(['no-new-privileges:true']);
    expect(service?.user ?? stages.get(service?.build?.target ?? '')?.user).toMatch(/^(?!root|0)[\w:]+$/);
  });
});

describe('the settings of a service', () => {
  const served = services.filter(([, { target }]) => target !== 'cli').map(([name]) => name);

  test.each(served)('%s gets only variables that its schema knows, and enough of them to start', async (name) => {
    const ConfigSchema = await schemaOf(name);
    const env = Object.entries(serviceEnv(name)).filter(([key]) => !NOT_OURS.has(key));
    const known = Object.keys(ConfigSchema.shape);
    expect(env.map(([key]) => key).filter((key) => !known.includes(key))).toEqual([]);
    const parsed = ConfigSchema.safeParse(Object.fromEntries(env.map(([key, value]) => [key, String(value)])));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });

  test('what a worker loads is what the models service fetches', () => {
    const settings = { ASR_MODEL: 'whisper-small', LLM_MODEL: 'qwen3-0.6b', TTS_MODEL: 'piper-ru_RU-irina-medium' };
    const { services: changed } = readComposeFile(settings);
    const loaded = [
      changed['worker-asr']?.environment?.['ASR_MODEL'],
      changed['worker-llm']?.environment?.['LLM_MODEL'],
    ];
    loaded.push(changed['worker-tts']?.environment?.['TTS_MODEL']);
    expect(changed['models']?.command?.slice(2)).toEqual(loaded);
    expect(loaded).toEqual(Object.values(settings));
  });

  test('.env.example names what can be set, with its default', async () => {
    const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
    const shown = [...example.matchAll(/^#(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const);
    const composeFile = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
    const defaults = new Map(
      [...composeFile.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => [name, value]),
    );
    for (const name of served) {
      const shape = Object.entries((await schemaOf(name)).shape as Record<string, z.ZodType>).filter(
        ([key]) => !defaults.has(key),
      );
      for (const [key, field] of shape) {
        const value = field.safeParse(undefined).data;
        defaults.set(key, typeof value === 'string' || typeof value === 'number' ? String(value) : '');
      }
    }
    expect(shown.filter(([name, value]) => defaults.get(name) !== value)).toEqual([]);
    expect(shown.length).toBeGreaterThan(10);
  });

  test('the command line asks for models where the workers look for them', () => {
    for (const name of ['models', 'cli']) expect(serviceEnv(name)).toMatchObject({ AIGOLOS_MODELS_DIR: '/models' });
    for (const name of ['worker-asr', 'worker-llm', 'worker-tts']) {
      expect(serviceEnv(name)).toMatchObject({ MODELS_DIR: '/models' });
    }
  });
});
