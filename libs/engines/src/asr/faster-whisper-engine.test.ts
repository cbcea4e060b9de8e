import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogger } from '@aigolos/runtime';
import { bytesMoved, childRunning, isAlive, MODELS_DIR, speechPython } from '@aigolos/testing';
import { execaNode } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realSpeech } from '../../test/speech.ts';
import { describeAsrEngine } from '../conformance/asr-engine.ts';
import { babble, repeated } from '../conformance/sounds.ts';
import type { AsrEngine } from './asr-engine.ts';
import { createFasterWhisperEngine, type FasterWhisperOptions } from './faster-whisper-engine.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const never = new AbortController().signal;
const PLAIN = { wordTimestamps: false };
const HOST = 'asr_host.py';
const TIMEOUT_MS = 120_000;

describeAsrEngine('faster-whisper with whisper-tiny.en', () => create({ model: 'whisper-tiny.en' }), {
  speech: realSpeech,
});

describe('the child of faster-whisper', { timeout: TIMEOUT_MS }, () => {
  let engine: AsrEngine;
  let clip: Float32Array;
  let long: Float32Array;
  beforeAll(async () => {
    const [dog, kennedy] = await realSpeech();
    clip = dog.samples;
    long = repeated(kennedy.samples, 90 * 16_000);
    engine = await create({ timeLimitMs: (audioSeconds) => (audioSeconds > 60 ? 3_000 : TIMEOUT_MS) });
  }, TIMEOUT_MS);
  afterAll(() => engine.close());

  const understands = async () => {
    const { segments } = await engine.transcribe(clip, PLAIN, never);
    expect(segments[0]?.text).toMatch(/small dog/);
  };

  test('when it dies in the middle of a call, that call fails retryably and the next gets a new child', async () => {
    const call = engine.transcribe(clip, PLAIN, never);
    process.kill(await childRunning(HOST), 'SIGKILL');
    await expect(call).rejects.toMatchObject({ name: 'AsrServiceError', code: 'ASR_ENGINE_FAILED', retryable: true });
    await understands();
  });

  test('when it dies between calls, nobody notices', async () => {
    const pid = await childRunning(HOST);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
    await understands();
  });

  test('when it hangs, an abort still ends the call within a second and the child soon after', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const pid = await childRunning(HOST);
    process.kill(pid, 'SIGSTOP');
    const call = engine.transcribe(clip, PLAIN, controller.signal);
    // By then the call is with the child.
    await nextTurn();
    const aborted = performance.now();
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(performance.now() - aborted).toBeLessThan(1_000);
    await expect.poll(() => isAlive(pid), { timeout: 1_000 }).toBe(false);
    await understands();
  });

  test('when it hangs, the call fails retryably at its time limit', async () => {
    const pid = await childRunning(HOST);
    const call = engine.transcribe(long, PLAIN, never);
    process.kill(pid, 'SIGSTOP');
    await expect(call).rejects.toMatchObject({
      code: 'ASR_ENGINE_FAILED',
      retryable: true,
      message: 'The speech recogniser took too long and was stopped.',
    });
    expect(isAlive(pid)).toBe(false);
    await understands();
  });

  test('does not end by the Ctrl-C that its parent gets too', async () => {
    const pid = await childRunning(HOST);
    process.kill(pid, 'SIGINT');
    await understands();
    expect(await childRunning(HOST)).toBe(pid);
  });

  test('does not outlive a parent that is killed in the middle of a call', async () => {
    const script = join(import.meta.dirname, '..', '..', 'test', 'transcribe-minutes.ts');
    const parent = execaNode(script, [speechPython(), modelDir('whisper-tiny.en')], { reject: false });
    await once(parent.stdout, 'data');
    const pid = await childRunning(HOST, parent.pid);
    // When it reads no more, it has got all samples and is at work on them.
    let read = -1;
    await expect.poll(async () => read === (read = (await bytesMoved(pid)).read), { interval: 100 }).toBe(true);
    parent.kill('SIGKILL');
    await parent;
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  });
});

describe('what the model cannot do', { timeout: TIMEOUT_MS }, () => {
  test('an English model refuses other languages and says what to do, and has nothing to translate', async () => {
    const engine = await create({});
    await expect(engine.transcribe(babble(1, 1), { ...PLAIN, language: 'ru' }, never)).rejects.toMatchObject({
      code: 'ASR_ENGINE_REJECTED',
      retryable: false,
      message: expect.stringMatching(/"ru".*understands en only.*multilingual/) as string,
    });
    expect(await engine.transcribe(babble(1, 1), { ...PLAIN, language: 'en-GB' }, never)).toMatchObject({
      language: 'en',
    });
    const [, kennedy] = await realSpeech();
    const translated = await engine.transcribe(kennedy.samples, { ...PLAIN, task: 'translate' }, never);
    expect(translated.segments[0]?.text).toMatch(/fellow Americans/i);
    expect(translated.warnings).toEqual([expect.stringContaining('whisper-tiny.en knows English alone')]);
    await engine.close();
  });

  test.each([
    ['Python is missing', { pythonPath: '/no/such/python' }, /ENOENT/],
    ['the model is missing', { modelDir: '/no/such/model' }, /There is no model\.bin in \/no\/such\/model/],
  ])('when %s, creation fails and the cause says so', async (_, broken, cause) => {
    const error: unknown = await create(broken).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ASR_ENGINE_FAILED',
      message: 'The speech model whisper-tiny.en could not be loaded.',
    });
    expect(String((error as Error).cause)).toMatch(cause);
  });
});

async function create(options: Partial<FasterWhisperOptions>): Promise<AsrEngine> {
  const model = options.model ?? 'whisper-tiny.en';
  return createFasterWhisperEngine({ model, modelDir: modelDir(model), pythonPath: speechPython(), log, ...options });
}

function modelDir(model: string): string {
  return join(MODELS_DIR, model);
}
