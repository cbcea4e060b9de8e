import { createLogger } from '@aigolos/runtime';
import { createFasterWhisperEngine } from '../src/asr/faster-whisper-engine.ts';
import { repeated } from '../src/conformance/sounds.ts';
import { realSpeech } from './speech.ts';

const [pythonPath = '', modelDir = ''] = process.argv.slice(2);
const log = createLogger({ service: 'test', level: 'silent' });
const [, kennedy] = await realSpeech();
const minutes = repeated(kennedy.samples, 300 * 16_000);
const engine = await createFasterWhisperEngine({ model: 'whisper-tiny.en', modelDir, pythonPath, log });
const call = engine.transcribe(minutes, { wordTimestamps: false }, new AbortController().signal);
setImmediate(() => process.stdout.write('transcribing\n'));
await call;
