import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** What a fuzzer's report in the HTTP Archive format has, as far as it is read. */
const HarSchema = z.object({
  log: z.object({
    entries: z.array(
      z.object({
        request: z.object({ method: z.string(), url: z.string() }),
        response: z.object({
          status: z.number(),
          headers: z.array(z.object({ name: z.string(), value: z.string() })),
          content: z.object({ text: z.string().optional() }),
        }),
      }),
    ),
  }),
});

const ID = /\b(?!req_)[a-z]+_[0-9a-f]{32}\b/g;
const MAX_IDS = 300;

/** Where something is found by its id; of all others that are a job's, at `/v1/jobs`. */
const PATHS: Record<string, string[]> = {
  conv: ['/v1/conversations/{id}', '/v1/conversations/{id}/items'],
  file: ['/v1/files/{id}', '/v1/files/{id}/content'],
  whe: ['/v1/webhook_endpoints/{id}', '/v1/webhook_endpoints/{id}/deliveries'],
  cht: ['/v1/jobs/{id}', '/v1/jobs/{id}/result', '/v1/chat/completions/{id}', '/v1/chat/completions/{id}/messages'],
  rsp: ['/v1/jobs/{id}', '/v1/jobs/{id}/result', '/v1/responses/{id}', '/v1/responses/{id}/input_items'],
  batch: ['/v1/jobs/{id}', '/v1/batches/{id}'],
  exp: ['/v1/jobs/{id}', '/v1/exports/{id}', '/v1/exports/{id}/content'],
  era: ['/v1/jobs/{id}', '/v1/erasures/{id}'],
  vtn: ['/v1/jobs/{id}', '/v1/voice/turns/{id}/audio'],
  trn: ['/v1/jobs/{id}', '/v1/jobs/{id}/result', '/v1/jobs/{id}/events'],
  trl: ['/v1/jobs/{id}'],
  spc: ['/v1/jobs/{id}', '/v1/jobs/{id}/result'],
};

/** An account that requests were made with, and the report of them. */
export interface Neighbour {
  key: string;
  reportPath: string;
}

/** What of one account another one was told, or is told when it asks. None is to be. */
export async function seenByNeighbours(url: string, neighbours: [Neighbour, Neighbour]): Promise<string[]> {
  const [one, other] = (await Promise.all(neighbours.map(({ reportPath }) => idsIn(reportPath)))) as [
    Set<string>,
    Set<string>,
  ];
  if (one.size === 0 || other.size === 0) return ['one of the accounts was told no id at all, so nothing was compared'];
  const told = [...one].filter((id) => other.has(id)).map((id) => `${id} was told to both accounts`);
  const asked = await Promise.all([
    foundBy(url, { key: neighbours[1].key, ids: one }),
    foundBy(url, { key: neighbours[0].key, ids: other }),
  ]);
  return [...told, ...asked.flat()];
}

/** Ids in what was answered with success: of what the account has. */
async function idsIn(reportPath: string): Promise<Set<string>> {
  const { log } = HarSchema.parse(JSON.parse(await readFile(reportPath, 'utf8')));
  const ids = log.entries.flatMap(({ response: { status, headers, content } }) => {
    if (status >= 300) return [];
    const text = [content.text ?? '', ...headers.map(({ value }) => value)].join('\n');
    return [...text.matchAll(ID)].map(([id]) => id);
  });
  return new Set(ids);
}

async function foundBy(url: string, { key, ids }: { key: string; ids: Set<string> }): Promise<string[]> {
  const found: string[] = [];
  const headers = { authorization: `Bearer ${key}` };
  for (const id of [...ids].slice(0, MAX_IDS)) {
    for (const template of PATHS[id.split('_')[0] ?? ''] ?? []) {
      const path = template.replace('{id}', id);
      const answer = await fetch(`${url}${path}`, { headers });
      await answer.body?.cancel();
      if (answer.status !== 404) found.push(`GET ${path} by another account: ${answer.status}`);
    }
  }
  return found;
}
