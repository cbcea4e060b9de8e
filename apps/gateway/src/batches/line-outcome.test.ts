import { UnavailableError } from '@aigolos/contracts';
import { type AnyJobRecord, newJobRecord } from '@aigolos/db';
import { expect, test } from 'vitest';
import { outcomeOf } from './line-outcome.ts';

const owner = { madeBy: { job: 'batch_1', fence: 1 }, expiry: undefined };
const speech = newJobRecord<'speech'>({
  _id: 'spc_1',
  kind: 'speech',
  account: 'acc_1',
  status: 'completed',
  task: { model: 'm', voice: 'v', input: 'hi', format: 'mp3', speed: 1 },
  result: { blobKey: 'spc_1/output-1.mp3', contentType: 'audio/mpeg', bytes: 2, durationSeconds: 1 },
}) as AnyJobRecord;

test.each([new Error('the store is away'), new UnavailableError('The store is away.')])(
  'a store that is away is no answer of a line: %s',
  async (gone) => {
    const away = () => Promise.reject(gone);
    const deps = { blobs: { exists: away, read: away, receive: away }, files: { keepMade: away } };
    await expect(outcomeOf(deps, speech, owner)).rejects.toBe(gone);
  },
);

test('a job that failed is answered as its call would have been', async () => {
  const { result: _, ...failed } = speech;
  const job = {
    ...failed,
    status: 'failed',
    failure: { code: 'TTS_ENGINE_FAILED', message: 'no voice' },
  } as AnyJobRecord;
  const never = () => Promise.reject(new Error('not asked here'));
  const deps = { blobs: { exists: never, read: never, receive: never }, files: { keepMade: never } };
  const { response } = await outcomeOf(deps, job, owner);
  expect(response).toMatchObject({
    status_code: 500,
    body: { error: { code: 'tts_engine_failed', message: 'no voice' } },
  });
});
