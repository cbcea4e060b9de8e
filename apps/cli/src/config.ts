import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultModel } from '@aigolos/engines/catalogue';
import { intVar, loadConfig } from '@aigolos/runtime';
import { z } from 'zod';

/** Loose: what the command line does not know is handed on to the apps, which do. */
export const ConfigSchema = z.looseObject({
  PATH: z.string().default('').describe('folders with programs'),
  XDG_CACHE_HOME: z.string().optional().describe('the cache folder of the user'),
  AIGOLOS_HOME: z.string().optional().describe('folder of all data; .aigolos in the project where absent'),
  AIGOLOS_URL: z
    .url()
    .optional()
    .describe('the gateway that transcribe, speak, chat, turn and result call; the local one where absent'),
  AIGOLOS_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('the key to call it with; that of the local installation where absent'),
  AIGOLOS_MODELS_DIR: z.string().optional().describe('folder of the models; in the cache folder where absent'),
  AIGOLOS_MODELS_FROM: z.string().optional().describe('a folder with models to take before any are downloaded'),
  AIGOLOS_PYTHON: z.string().default('python3').describe('Python 3.10 or newer, with pip'),
  HF_ENDPOINT: z.url().optional().describe('a mirror of the model hub'),
  NODE_USE_ENV_PROXY: z
    .string()
    .optional()
    .describe('`1` where HTTPS_PROXY is to be asked; set where that, or HTTP_PROXY, is'),
  MONGO_URL: z.url().optional().describe('a MongoDB replica set; a server of its own is started where absent'),
  MONGOMS_SYSTEM_BINARY: z.string().optional().describe('a mongod program; looked for in PATH where absent'),
  MONGOMS_DOWNLOAD_MIRROR: z.url().default('https://fastdl.mongodb.org').describe('where mongod is downloaded'),
  REDIS_URL: z.url().optional().describe('a Redis; a server of its own is started where absent'),
  HOST: z.string().default('127.0.0.1').describe('address that the gateway listens on'),
  PORT: intVar.min(1).max(65_535).default(8787).describe('port that the gateway listens on'),
  FFMPEG_PATH: z.string().default('ffmpeg').describe('the ffmpeg program'),
  FFPROBE_PATH: z.string().default('ffprobe').describe('the ffprobe program'),
  ESPEAK_PATH: z.string().default('espeak-ng').describe('the espeak-ng program'),
  ASR_ENGINE: z.string().default('faster-whisper').describe('what turns speech into text'),
  ASR_MODEL: z.string().default(defaultModel('asr').id).describe('catalogue id of the speech recognition model'),
  LLM_ENGINE: z.string().default('node-llama-cpp').describe('what answers messages'),
  LLM_MODEL: z.string().default(defaultModel('llm').id).describe('catalogue id of the language model'),
  TTS_ENGINE: z.string().optional().describe('what speaks: a list; piper, and espeak where it is installed'),
  TTS_MODEL: z.string().default(defaultModel('tts').id).describe('catalogue id of the voice'),
});
type Env = z.infer<typeof ConfigSchema>;

export interface Paths {
  /** The project. */
  root: string;
  /** Everything that one installation keeps, and `npm run reset` removes. */
  home: string;
  logFile: string;
  models: string;
  /** Python environments, one a requirements file. */
  python: string;
}

export interface CliConfig {
  env: Env;
  paths: Paths;
}

/** Reads the settings. @throws AIGolosError `CONFIG_INVALID`. */
export function readConfig(given?: Record<string, string | undefined>): CliConfig {
  const env = loadConfig(ConfigSchema, given);
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const home = resolve(env.AIGOLOS_HOME ?? join(root, '.aigolos'));
  const cache = join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'aigolos');
  const models = resolve(env.AIGOLOS_MODELS_DIR ?? join(cache, 'models'));
  return {
    env,
    paths: { root, home, logFile: join(home, 'logs', 'aigolos.log'), models, python: join(cache, 'python') },
  };
}
