import { waitUntil } from '@aigolos/testing';
import type OpenAI from 'openai';
import { expect } from 'vitest';
import type { Answer, Case, RouteCases } from '../case.ts';
import { jsonOf } from './shows.ts';
import { speech } from './speech.ts';
import { transcriptions } from './transcriptions.ts';

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1_000);
/** Before all that a suite does. */
const start = now() - (now() % DAY);

interface Bucket {
  start_time: number;
  end_time: number;
  results: Record<string, unknown>[];
}
const buckets = (answer: Answer) => (jsonOf(answer) as { data: Bucket[] }).data;
const results = (answer: Answer) => buckets(answer).flatMap((bucket) => bucket.results);
/** There is usage, and each of it is like this. */
const each = (like: object) => (answer: Answer) => {
  expect(results(answer)).not.toEqual([]);
  for (const result of results(answer)) expect(result).toMatchObject(like);
};
const none = (answer: Answer) => expect(results(answer)).toEqual([]);

function casesFor(model: string): Case[] {
  return [
    {
      parameter: 'start_time',
      support: 'supported',
      note: 'the bucket that it lies in is the first',
      shows: (answer) => expect(buckets(answer)[0]?.start_time).toBe(start),
    },
    {
      parameter: 'end_time',
      support: 'supported',
      send: { start_time: start - 2 * DAY, end_time: start - DAY },
      shows: (answer) => expect(buckets(answer)).toMatchObject([{ end_time: start - DAY, results: [] }]),
    },
    {
      parameter: 'bucket_width',
      support: 'supported',
      send: { bucket_width: '1h' },
      shows: (answer) => expect(buckets(answer)[0]?.end_time).toBe(start + 3_600),
    },
    {
      parameter: 'limit',
      support: 'supported',
      send: { start_time: start - DAY, limit: 1 },
      shows: (answer) => {
        expect(buckets(answer)).toHaveLength(1);
        expect(jsonOf(answer)).toMatchObject({ has_more: true, next_page: `page_${start}` });
      },
    },
    {
      parameter: 'page',
      support: 'supported',
      send: { start_time: start - DAY, limit: 1, page: `page_${start}` },
      shows: (answer) => expect(buckets(answer)).toMatchObject([{ start_time: start }]),
    },
    {
      parameter: 'group_by',
      support: 'supported',
      note: 'a user is an account; projects and tiers are null',
      send: { group_by: ['model', 'user_id', 'api_key_id', 'project_id'] },
      shows: each({
        model,
        user_id: expect.stringMatching(/^acc_/),
        api_key_id: expect.stringMatching(/^key_/),
        project_id: null,
      }),
    },
    { parameter: 'models', support: 'supported', send: { models: ['another'] }, shows: none },
    { parameter: 'api_key_ids', support: 'supported', send: { api_key_ids: ['key_another'] }, shows: none },
    {
      parameter: 'user_ids',
      support: 'supported',
      note: "ids of accounts; others than one's own need a key of the role admin",
      send: { user_ids: ['acc_another'] },
      shows: none,
    },
    {
      parameter: 'project_ids',
      support: 'refused',
      note: 'there are no projects here',
      send: { project_ids: ['proj_1'] },
    },
  ];
}

type Usage = OpenAI['admin']['organization']['usage'];
type Ask = (
  usage: Usage,
  query: { start_time: number },
  options: { headers: Record<string, string> },
) => Promise<Response>;

/** Asked once something was used, and that is counted. */
function route(
  service: string,
  { ask, work, cases }: { ask: Ask; work: (client: OpenAI) => Promise<unknown>; cases: Case[] },
): RouteCases {
  let used: Promise<unknown> | undefined;
  const usageOf = (client: OpenAI) => client.withOptions({ adminAPIKey: client.apiKey }).admin.organization.usage;
  const untilUsed = async (client: OpenAI) => {
    await work(client);
    await waitUntil('it is counted', async () => {
      const page = (await (await ask(usageOf(client), { start_time: start }, { headers: {} })).json()) as {
        data: Bucket[];
      };
      return page.data.some((bucket) => bucket.results.length > 0);
    });
  };
  return {
    route: `GET /organization/usage/${service}`,
    smallest: { start_time: start },
    call: async (client, request, options) => {
      used ??= untilUsed(client);
      await used;
      return ask(usageOf(client), request as unknown as { start_time: number }, options);
    },
    cases,
  };
}

const options = { headers: {} };

export const usage: RouteCases[] = [
  route('completions', {
    ask: (api, query, given) => api.completions(query, given).asResponse(),
    work: (client) => client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }),
    cases: [
      ...casesFor('test-llm'),
      {
        parameter: 'batch',
        support: 'supported',
        send: { batch: false, group_by: ['batch'] },
        shows: each({ batch: false }),
      },
    ],
  }),
  route('audio_speeches', {
    ask: (api, query, given) => api.audioSpeeches(query, given).asResponse(),
    work: async (client) => (await speech.call(client, speech.smallest, options)).arrayBuffer(),
    cases: casesFor('test-tts'),
  }),
  route('audio_transcriptions', {
    ask: (api, query, given) => api.audioTranscriptions(query, given).asResponse(),
    work: async (client) => (await transcriptions.call(client, transcriptions.smallest, options)).json(),
    cases: casesFor('test-asr'),
  }),
];
