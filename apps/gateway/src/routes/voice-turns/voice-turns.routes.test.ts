import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type JobView, VoiceTurnSchema } from '@aigolos/contracts';
import { answerStep, speakStep, transcribeStep } from '@aigolos/jobs';
import { audioClip, useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, jobOf, said } from '../../../test/answers.ts';
import { eventsIn, textIn } from '../../../test/events.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
const SOUND = Buffer.from('the sound of the answer');
let house: House;
const asked: unknown[] = [];
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  await house.work(
    'voice-turn',
    transcribeStep(async () => {
      const heard = { text: 'Ask not.', language: 'en', durationSeconds: 11, segments: [], words: [] };
      return { result: heard, usage: { audioSeconds: 11 }, warnings: [] };
    }),
  );
  const answer = answerStep(async ({ job, emitDelta }) => {
    asked.push(job.task);
    for (const piece of ['What ', 'then?']) emitDelta(piece);
    return said('What then?');
  });
  await house.work('voice-turn', answer, 'llm');
  const speak = speakStep(async ({ job, signal }) => {
    const file = await house.blobs.receive(Readable.from([SOUND]), { maxBytes: 100, signal });
    const blobKey = `${job._id}/output-${job.fence}.wav`;
    await house.blobs.commit(file, blobKey);
    const result = { blobKey, contentType: 'audio/wav', bytes: SOUND.length, durationSeconds: 1 };
    return { result, usage: { inputCharacters: 10 }, warnings: [] };
  });
  await house.work('voice-turn', speak, 'tts');
});
afterAll(() => house.close());

async function post(fields: Record<string, string> = {}, headers: Record<string, string> = {}, audio?: Blob) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', audio ?? new Blob([await readFile(audioClip('kennedy'))]), 'said.flac');
  return house.call('/v1/voice/turns', { method: 'POST', body: form, headers });
}

test('what is said is answered, in its conversation, as texts or as sound', async () => {
  const response = await post({
    conversation: 'new',
    voice: 'joe',
    response_format: 'wav',
    instructions: 'be brief',
    metadata: '{"room":"7"}',
    priority: 'high',
    max_completion_tokens: '50',
  });
  expect(response.status).toBe(200);
  const turn = VoiceTurnSchema.parse(await response.json());
  expect(turn).toMatchObject({
    transcript: { text: 'Ask not.', duration: 11, model: 'test-asr' },
    answer: { text: 'What then?', model: 'test-llm' },
    audio: { content_type: 'audio/wav', bytes: SOUND.length, model: 'test-tts', voice: 'joe' },
    conversation: expect.stringMatching(/^conv_/),
  });
  expect(asked.at(-1)).toMatchObject({ maxTokens: 50, conversation: turn.conversation });
  expect(await jobOf(house, turn.id)).toMatchObject({
    kind: 'voice-turn',
    priority: 'high',
    metadata: { room: '7' },
    usage: { audio_seconds: 11, input_characters: 10, prompt_tokens: 3, completion_tokens: 2 },
  });
  const sound = await house.call(turn.urls.audio);
  expect([sound.headers.get('content-type'), Buffer.from(await sound.arrayBuffer())]).toEqual(['audio/wav', SOUND]);
  const result = (accept: string) => house.call(`/v1/jobs/${turn.id}/result`, { headers: { accept } });
  expect(Buffer.from(await (await result('audio/*')).arrayBuffer())).toEqual(SOUND);
  expect(await (await result('application/json')).json()).toEqual(turn);
  expect((await result('image/png')).status).toBe(406);
  const spoken = await post({ conversation: turn.conversation ?? '', response_format: 'wav' }, { accept: 'audio/wav' });
  expect(Buffer.from(await spoken.arrayBuffer())).toEqual(SOUND);
  const messages = await house.db.conversations.lastMessages(turn.conversation ?? '', 10);
  expect(messages.map(({ content }) => content)).toEqual(['Ask not.', 'What then?', 'Ask not.', 'What then?']);
});

test('the events of a turn tell its steps and the answer while it is made; it can be erased with all its files', async () => {
  const job = (await (await post({ response_format: 'wav' }, { prefer: 'respond-async' })).json()) as JobView;
  const events = await Array.fromAsync(eventsIn(await house.call(job.urls.events)));
  expect([textIn(events), events.at(-1)?.name]).toEqual(['What then?', 'job.completed']);
  const steps = events.flatMap(({ data }) => ('job' in data ? [data.job.step] : []));
  expect(steps.at(-1)).toBe('speak');
  expect((await ended(house, job.id)).step).toBe('speak');
  expect((await house.files()).blobs).toContain(job.id);
  expect((await house.call(job.urls.self, { method: 'DELETE' })).status).toBe(200);
  expect((await house.files()).blobs).not.toContain(job.id);
});

test('under a key the same form is one turn', async () => {
  const headers = { 'idempotency-key': 'a-turn' };
  const [one, other] = await Promise.all([post({}, headers), post({}, headers)]);
  expect(one.headers.get('x-job-id')).toBe(other.headers.get('x-job-id'));
  expect((await post({ instructions: 'sing' }, headers)).status).toBe(422);
});

test.each<[string, Record<string, string>, Blob | undefined, number, object]>([
  ['no audio', {}, new Blob(['not audio']), 400, { code: 'AUDIO_NOT_RECOGNISED' }],
  ['a voice that is not there', { voice: 'nobody' }, undefined, 404, { code: 'VOICE_NOT_FOUND' }],
  ['a conversation that is not there', { conversation: 'conv_1' }, undefined, 404, { code: 'CONVERSATION_NOT_FOUND' }],
  ['a speed out of bounds', { speed: '9' }, undefined, 400, { detail: expect.stringContaining('0.25 to 4, not 9') }],
  ['metadata that is no JSON', { metadata: 'x' }, undefined, 400, { detail: 'metadata: must be JSON' }],
  ['a stream', { stream: 'true' }, undefined, 400, { detail: expect.stringContaining('/events') }],
  [
    'a webhook without a secret',
    { webhook_url: 'https://example.com/' },
    undefined,
    400,
    { errors: [{ path: 'webhook_url' }] },
  ],
])('a turn with %s is refused as a problem, and nothing is left of it', async (_what, fields, audio, status, body) => {
  const before = await house.files();
  const refused = await post(fields, {}, audio);
  expect([refused.status, await refused.json()]).toMatchObject([status, body]);
  expect(await house.files()).toEqual(before);
});
