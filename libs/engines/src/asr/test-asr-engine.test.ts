import { join } from 'node:path';
import { execaNode } from 'execa';
import { describe, expect, test } from 'vitest';
import { describeAsrEngine } from '../conformance/asr-engine.ts';
import { babble } from '../conformance/sounds.ts';
import { createTestAsrEngine } from './test-asr-engine.ts';

describeAsrEngine('the test engine', async () => createTestAsrEngine({ paceMsPerAudioSecond: 30 }));

const never = new AbortController().signal;

describe('createTestAsrEngine', () => {
  test('the same samples give the same words, in every process', async () => {
    const { segments, words } = await createTestAsrEngine().transcribe(babble(3, 1), { wordTimestamps: true }, never);
    expect(segments.map(({ text, start, end }) => ({ text, start, end }))).toEqual([
      { text: ' golf delta kilo', start: 0, end: 3 },
    ]);
    expect(words.map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  test('what it translates is in capitals', async () => {
    const call = { task: 'translate' as const, wordTimestamps: false };
    const { segments } = await createTestAsrEngine().transcribe(babble(3, 1), call, never);
    expect(segments.map(({ text }) => text)).toEqual([' GOLF DELTA KILO']);
  });

  test('the prompt can tell it to fail, to reject and to hang', async () => {
    const engine = createTestAsrEngine();
    const told = (prompt: string, signal = never) =>
      engine.transcribe(babble(1, 1), { prompt, wordTimestamps: false }, signal);
    await expect(told('[[fail]]')).rejects.toMatchObject({ code: 'ASR_ENGINE_FAILED', retryable: true });
    await expect(told('[[reject]]')).rejects.toMatchObject({ code: 'ASR_ENGINE_REJECTED', retryable: false });
    const reason = new Error('enough');
    const controller = new AbortController();
    const hanging = told('please [[hang]]', controller.signal);
    controller.abort(reason);
    await expect(hanging).rejects.toBe(reason);
  });

  test('[[crash]] kills the process that runs it', async () => {
    const script = join(import.meta.dirname, '..', '..', 'test', 'crash.ts');
    const result = await execaNode(script, { reject: false });
    expect(result.signal).toBe('SIGKILL');
  });
});
