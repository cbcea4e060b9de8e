import { newJobRecord } from '@aigolos/db';
import { describe, expect, test } from 'vitest';
import { expectedAnswer, expectedSamples, expectedTranscript } from '../drill/expected.ts';
import { findViolations } from '../drill/invariants/index.ts';
import { sha256, wordsOf } from '../drill/load/answer.ts';
import type { Operation } from '../drill/load/operations.ts';
import { toWav } from '../drill/load/sound.ts';
import { END, ENDED, emptyCase } from './empty-case.ts';

const TURN = {
  id: 'turn',
  atMs: 0,
  kind: 'voice-turn',
  manner: 'async',
  hasKey: true,
  seconds: 1,
  soundSeed: 7,
  format: 'wav',
} as const;

/** A voice turn in a conversation. */
async function healthyTurn() {
  const operation: Operation = { ...TURN, conversation: 'conversation', turn: 0 };
  const house = await emptyCase([operation]);
  const { evidence, journal } = house;
  const heard = await expectedTranscript(TURN.soundSeed, TURN.seconds);
  const instructions = 'turn: be brief';
  const { text, ...usage } = await expectedAnswer([
    { role: 'system', content: instructions },
    { role: 'user', content: heard },
  ]);
  const samples = Int16Array.from(await expectedSamples(text, 'test-low'), (sample) => Math.round(sample * 0x8000));
  const sound = toWav(samples);
  const _id = 'vtn_1';
  const speech = { blobKey: `${_id}/output-3.wav`, contentType: 'audio/wav', bytes: sound.length, durationSeconds: 1 };
  const job = newJobRecord<'voice-turn'>({
    ...ENDED,
    _id,
    kind: 'voice-turn',
    task: {
      model: 'test-llm',
      instructions,
      transcription: { model: 'test-asr' },
      speech: { model: 'test-tts', voice: 'test-low', format: 'wav', speed: 1 },
      audio: { blobKey: `${_id}/input`, bytes: 1, sha256: '' },
    },
    conversation: 'conv_1',
    turn: 0,
    result: {
      transcript: { text: heard, language: 'en', durationSeconds: 1 },
      answer: { text, finishReason: 'stop' },
      speech,
    },
    usage: {
      audioSeconds: 1,
      inputCharacters: text.length,
      promptTokens: usage.promptTokens,
      completionTokens: usage.completionTokens,
    },
  });
  evidence.jobs.set(_id, job);
  const message = { conversation: 'conv_1', account: 'acc_1', job: _id, createdAt: END };
  const messages = [
    { ...message, _id: 'msg_0', seq: 0, role: 'user' as const, content: heard },
    { ...message, _id: 'msg_1', seq: 1, role: 'assistant' as const, content: text },
  ];
  evidence.messages.push(...messages);
  await house.put(`${_id}/input`, 'x');
  await house.put(speech.blobKey, sound);
  journal.write({ type: 'acknowledged', op: TURN.id, job: _id, http: 202, ms: 1 });
  for (const got of [wordsOf(job.result!), sound]) {
    journal.write({ type: 'result', op: TURN.id, job: _id, sha256: sha256(got), begin: '' });
  }
  house.tell(_id);
  return { ...house, job, messages: evidence.messages };
}
type HealthyTurn = Awaited<ReturnType<typeof healthyTurn>>;

describe('of a voice turn', () => {
  test('nothing is found where everything is as promised', async () => {
    expect(await findViolations((await healthyTurn()).given)).toEqual([]);
  });

  test.each<[string, string, (at: HealthyTurn) => unknown]>([
    ['another transcript', 'result', ({ job }) => Object.assign(job.result!.transcript, { text: 'x' })],
    ['another answer', 'result', ({ job }) => Object.assign(job.result!.answer, { text: 'x' })],
    [
      'another sound',
      'result',
      ({ put, job }) => put(job.result!.speech.blobKey, Buffer.alloc(job.result!.speech.bytes)),
    ],
    [
      'another sound that the client got',
      'result',
      ({ journal }) => journal.write({ type: 'result', op: TURN.id, job: 'vtn_1', sha256: sha256('x'), begin: 'x' }),
    ],
    ['usage that is counted twice', 'usage', ({ job }) => Object.assign(job.usage!, { completionTokens: 99 })],
    [
      'sound that is not there',
      'file_missing',
      ({ evidence, job }) => evidence.blobs.delete(job.result!.speech.blobKey),
    ],
    ['a file of an attempt that lost', 'file_left', ({ put }) => put('vtn_1/output-1.wav', 'x')],
    ['a message too many', 'messages', ({ messages }) => messages.push({ ...messages[1]!, _id: 'msg_2', seq: 2 })],
    [
      'another message than what was heard',
      'messages',
      ({ messages }) => Object.assign(messages[0]!, { content: 'x' }),
    ],
    ['no webhook', 'webhook_lost', ({ journal }) => Object.assign(journal.of('webhook')[0]!, { answered: '500' })],
  ])('%s is found', async (_what, rule, spoil) => {
    const at = await healthyTurn();
    await spoil(at);
    expect((await findViolations(at.given)).map((violation) => violation.rule)).toContain(rule);
  });
});
