import { useMongo, useRedis } from '@aigolos/testing';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { said } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  await house.work('response', async () => said('answer'));
});
afterAll(() => house.close());

const message = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });

test('a conversation is begun with items and notes, which can be changed', async () => {
  const begun = await client.conversations.create({ items: [message('hi')], metadata: { topic: 'a.b' } });
  expect(begun).toMatchObject({ object: 'conversation', metadata: { topic: 'a.b' }, expires_at: expect.any(Number) });
  expect(await client.conversations.update(begun.id, { metadata: { topic: 'b' } })).toMatchObject({
    metadata: { topic: 'b' },
  });
  expect(await client.conversations.retrieve(begun.id)).toMatchObject({ metadata: { topic: 'b' } });
});

test('items stand between turns in their order, in both directions, page by page', async () => {
  const { id } = await client.conversations.create({ items: [message('first')] });
  const turn = await client.responses.create({ model: 'gpt-4o', input: 'asked', conversation: id });
  const call = { type: 'function_call' as const, call_id: 'call_1', name: 'look', arguments: '{}' };
  const added = await client.conversations.items.create(id, {
    items: [call, { type: 'function_call_output', call_id: 'call_1', output: 'seen' }],
  });
  expect(added.data).toMatchObject([call, { type: 'function_call_output', call_id: 'call_1', output: 'seen' }]);
  const list = (query: object) => Array.fromAsync(client.conversations.items.list(id, query));
  const items = await list({ order: 'asc', limit: 2 });
  expect(items).toMatchObject([
    { role: 'user', content: [{ text: 'first' }] },
    { role: 'user', content: [{ text: 'asked' }] },
    turn.output[0] as object,
    ...added.data,
  ]);
  expect(await list({ limit: 3 })).toEqual(items.toReversed());
  const last = items.at(-1) as { id: string };
  expect(await client.conversations.items.retrieve(last.id, { conversation_id: id })).toEqual(last);
});

test('a page with nothing on it has texts in all places where OpenAI has them', async () => {
  const { id } = await client.conversations.create();
  const page = await (await house.call(`/v1/conversations/${id}/items`)).json();
  expect(page).toEqual({ object: 'list', data: [], first_id: '', last_id: '', has_more: false });
});

test('a deleted item is gone for readers and turns, and a turn that is written again does not bring it back', async () => {
  const { id } = await client.conversations.create();
  const turn = await client.responses.create({ model: 'gpt-4o', input: 'asked', conversation: id });
  const [answer] = turn.output as { id: string }[];
  const at = { conversation_id: id };
  expect(await client.conversations.items.delete(answer?.id ?? '', at)).toMatchObject({ id, object: 'conversation' });
  await expect(client.conversations.items.retrieve(answer?.id ?? '', at)).rejects.toThrow(NotFoundError);
  await house.db.conversations.appendTurn({
    conversation: id,
    account: house.account,
    job: turn.id,
    messages: [
      { role: 'user', content: 'asked' },
      { role: 'assistant', content: 'answer' },
    ],
    at: new Date(),
  });
  const left = await house.db.conversations.lastMessages(id, 9);
  expect(left.map(({ content }) => content)).toEqual(['asked']);
});

test('turns and items that are written at the same moment each have a place of their own', async () => {
  const { id } = await client.conversations.create();
  const { db, account } = house;
  const turn = (job: string) => ({
    conversation: id,
    account,
    job,
    messages: [
      { role: 'user' as const, content: 'q' },
      { role: 'assistant' as const, content: 'a' },
    ],
    at: new Date(),
  });
  await Promise.all([
    db.conversations.appendTurn(turn('cht_1')),
    db.conversations.appendTurn(turn('cht_1')),
    db.conversations.appendItems({ _id: id, account }, [
      { role: 'user', content: 'x' },
      { role: 'user', content: 'y' },
    ]),
  ]);
  const messages = await db.conversations.lastMessages(id, 9);
  expect(messages.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
  const order = messages.map(({ content }) => content).join('');
  expect(order.replace(/[xy]/g, '')).toBe('qa');
  expect(order.replace(/[qa]/g, '')).toBe('xy');
});

test('the count is of the items that stand in it, whatever was added and deleted at the same moment', async () => {
  const { id, ...begun } = await client.conversations.create({ items: [message('one'), message('two')] });
  expect(begun).toMatchObject({ message_count: 2 });
  const turn = await client.responses.create({ model: 'gpt-4o', input: 'asked', conversation: id });
  const count = async () => (await client.conversations.retrieve(id)) as unknown as { message_count: number };
  expect(await count()).toMatchObject({ message_count: 4 });
  const [answer] = turn.output as { id: string }[];
  const [added] = (await client.conversations.items.create(id, { items: [message('three')] })).data;
  expect(await count()).toMatchObject({ message_count: 5 });
  const [first, second] = (await client.conversations.items.list(id, { order: 'asc' })).data;
  const at = { conversation_id: id };
  const gone = (item: { id?: string } | undefined) => client.conversations.items.delete(item?.id ?? '', at);
  await Promise.all([
    ...[answer, added, second].map(gone),
    // Twice the same: one of the two finds it, and it is counted out once.
    Promise.any([gone(first), gone(first)]),
    ...['four', 'five', 'six'].map((text) => client.conversations.items.create(id, { items: [message(text)] })),
    ...Array.from({ length: 3 }, count),
  ]);
  expect(await count()).toMatchObject({ message_count: 4 });
  const left = await Array.fromAsync(client.conversations.items.list(id, { order: 'asc' }));
  expect(left).toHaveLength(4);
});

test('what is too long, too much or somebody else’s is refused', async () => {
  const long = client.conversations.create({ items: [message('x'.repeat(6_000))] });
  await expect(long).rejects.toThrow(BadRequestError);
  await expect(long).rejects.toThrow('this one has 6000');
  const many = client.conversations.create({ items: Array.from({ length: 21 }, () => message('x')) });
  await expect(many).rejects.toThrow(BadRequestError);
  const { id } = await client.conversations.create();
  for (const path of ['', '/items', '/items/msg_1']) {
    const answer = await house.call(`/v1/conversations/${id}${path}`, { key: house.keys.stranger });
    expect(answer.status).toBe(404);
  }
});

test('what is to be included of an item is warned of, and refused where it is nothing of OpenAI’s', async () => {
  const { id } = await client.conversations.create({ items: [message('hi')] });
  const path = `/v1/conversations/${id}/items`;
  const warning = 'Ignored, because not supported: include.';
  for (const query of ['include[]=reasoning.encrypted_content', 'include=reasoning.encrypted_content']) {
    expect((await house.call(`${path}?${query}`)).headers.get('x-warnings')).toBe(warning);
  }
  expect((await house.call(path)).headers.get('x-warnings')).toBeNull();
  const refused = await house.call(`${path}?include=message.output_text.logprobs&include=everything`);
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { error: { param: 'include', message: expect.stringContaining('message.output_text.logprobs') } },
  ]);
});
