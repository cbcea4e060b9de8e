import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@aigolos/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seenByNeighbours } from '../compat/neighbours.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aigolos-neighbours-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function reportOf(name: string, answers: { status: number; text: string }[]): Promise<string> {
  const entries = answers.map(({ status, text }) => ({
    request: { method: 'GET', url: '/' },
    response: { status, headers: [], content: { text } },
  }));
  const path = join(folder, name);
  await writeFile(path, JSON.stringify({ log: { entries } }));
  return path;
}

test('what one account is told of another is found: in what it was answered, and when it asks', async () => {
  const [hers, open, his, both] = [newId('chat'), newId('file'), newId('chat'), newId('conversation')];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    response.writeHead(request.url === `/v1/files/${open}` ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const one = await reportOf('one', [
    { status: 200, text: JSON.stringify({ data: [hers, open, both, newId('request')] }) },
  ]);
  const other = await reportOf('other', [
    { status: 202, text: `${his} ${both}` },
    { status: 404, text: `There is no job ${hers}.` },
  ]);
  const seen = await seenByNeighbours(url, [
    { key: 'her', reportPath: one },
    { key: 'his', reportPath: other },
  ]);
  expect(seen).toEqual([`${both} was told to both accounts`, `GET /v1/files/${open} by another account: 200`]);
  expect(asked).toEqual(expect.arrayContaining([`Bearer his /v1/jobs/${hers}`, `Bearer her /v1/jobs/${his}`]));
  server.close();
});

test('accounts that were told nothing are no evidence', async () => {
  const report = await reportOf('none', [{ status: 404, text: newId('chat') }]);
  const neighbour = { key: 'x', reportPath: report };
  expect(await seenByNeighbours('http://127.0.0.1:9', [neighbour, neighbour])).toHaveLength(1);
});
