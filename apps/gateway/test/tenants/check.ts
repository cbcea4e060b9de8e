import { BELONGINGS, LIES_IN, missingId, type Owner } from './belongings.ts';
import type { Callers } from './callers.ts';
import type { CommandCounter } from './command-counter.ts';
import { type Answer, type Ids, send } from './requests.ts';
import type { IdPlace, Row } from './rows.ts';

const COMPARED_AT_MOST = 10;

/** An installation with people in it. */
export interface Tenants {
  url: string;
  callers: Callers;
  owner: Owner;
  stranger: Owner;
  admin: Owner;
  counter: CommandCounter;
}

/** Every caller is answered as the row says who asks for what there is not. @returns what is otherwise. */
export async function checkCallers(tenants: Tenants, name: string, row: Row): Promise<string[]> {
  const { url, callers } = tenants;
  const ids: Ids = new Map();
  for (const place of row.ids ?? []) {
    if (place.at.startsWith('path')) ids.set(place.at, await missingFor(tenants, place));
  }
  const ask = (key: string | undefined) => send(url, name, { row, ids, key });
  const breaches: string[] = [];
  const expectAnswer = (who: string, { status, code }: Answer, right: (status: number, code?: string) => boolean) => {
    if (!right(status, code)) breaches.push(`${name}: ${who} is answered ${status} ${code ?? ''}`);
  };
  const isPublic = row.scope === 'public';
  for (const { who, key, status, code } of callers.refused) {
    expectAnswer(who, await ask(key), (got, gotCode) =>
      isPublic ? got === 200 : got === status && isCode(gotCode, code),
    );
  }
  if (row.scope !== 'public' && row.scope !== 'any') {
    const answer = await ask(await callers.without(row.scope));
    expectAnswer(
      `a key without ${row.scope}`,
      answer,
      (got, code) => got === 403 && isCode(code, 'INSUFFICIENT_SCOPE'),
    );
  }
  const mayRead = isPublic || (name.startsWith('GET ') && !row.admin);
  expectAnswer('a read-only account', await ask(callers.readOnly.key), (got, code) =>
    mayRead ? got !== 401 && got !== 403 : got === 403 && isCode(code, 'ACCESS_DENIED'),
  );
  expectAnswer('a user', await ask(callers.stranger.key), (got) =>
    row.admin ? got === 403 : got !== 401 && got !== 403,
  );
  return breaches;
}

/** OpenAI's routes have their codes in lower case, and a word of OpenAI's for one of them. */
function isCode(got: string | undefined, code: string): boolean {
  return got?.toUpperCase() === code || (got === 'invalid_api_key' && code === 'API_KEY_INVALID');
}

/**
 * What is another account's is as if it were not there: by the answer, and by what the database is asked. And it is there: its
 * owner is answered otherwise, also after the others. @returns what is otherwise.
 */
export async function checkPlace(tenants: Tenants, name: string, { row, place }: { row: Row; place: IdPlace }) {
  const { url, callers, counter } = tenants;
  const breaches: string[] = [];
  const theirs = await idsOf(row, place, tenants.owner);
  const ask = async (key: string, ids: Ids) => {
    counter.take();
    const answer = await send(url, name, { row, ids, body: place.body, key });
    return { ...answer, commands: counter.take().join(', ') };
  };
  const compare = async (who: string, self: Owner, key: string) => {
    const [foreign, missing] = [await withOwn(self, theirs), await withOwn(self, theirs, missingId)];
    const at = `${name}: ${who}, ${place.at}`;
    for (let attempt = 1; ; attempt += 1) {
      const [there, gone] = [await ask(key, foreign), await ask(key, missing)];
      if (gone.status !== (place.missing ?? 404) && !row.admin) breaches.push(`${at}: a missing one is ${gone.status}`);
      if (there.seen !== gone.seen) {
        return breaches.push(`${at}: a foreign one is told from a missing one:\n${there.seen}\n${gone.seen}`);
      }
      if (there.commands === gone.commands) return undefined;
      // What an earlier request has set in motion may go on meanwhile.
      if (attempt < COMPARED_AT_MOST) continue;
      const of = (commands: string) => commands || 'nothing';
      return breaches.push(`${at}: the database is asked ${of(there.commands)}, and ${of(gone.commands)}`);
    }
  };
  await compare('a stranger', tenants.stranger, callers.stranger.key);
  if (!place.operator && !row.admin) await compare('an operator', tenants.admin, callers.admin.key);
  // Of operators' routes everything is theirs.
  const owner = row.admin ? callers.admin : callers.owner;
  const wrong = await ask(
    owner.key,
    new Map([...theirs.all].map(([at, id]) => [at, at === place.at ? missingId(id) : id])),
  );
  const right = await ask(owner.key, theirs.all);
  if (right.seen === wrong.seen) breaches.push(`${name}: ${place.at} makes no difference to its owner: ${right.seen}`);
  return breaches;
}

interface PlacedIds {
  place: IdPlace;
  /** Everything is the owner's. */
  all: Ids;
  /** Those that go with the one that is tried, as they lie in it. */
  within: Set<IdPlace['at']>;
  row: Row;
}

/** Ids of things of one account for a place and for what must stand beside it. */
async function idsOf(row: Row, place: IdPlace, things: Owner): Promise<PlacedIds> {
  const beside = (row.ids ?? []).filter(({ at, of }) => at.startsWith('path') || of === LIES_IN[place.of]);
  const all: Ids = new Map();
  const made = new Map<string, string>();
  const within = new Set<IdPlace['at']>();
  const make = async ({ of, at }: IdPlace, isSent = true): Promise<string> => {
    const outer = LIES_IN[of];
    const parent = outer && (made.get(outer) ?? (await make({ of: outer, at: 'path.' }, false)));
    const id = await BELONGINGS[of](things, parent ?? '');
    made.set(of, id);
    if (isSent) all.set(at, id);
    if (outer === place.of) within.add(at);
    return id;
  };
  for (const one of [...beside.filter(({ at }) => at !== place.at), place].toSorted(outerFirst)) await make(one);
  return { place, all, within, row };
}

const outerFirst = (a: IdPlace, b: IdPlace) =>
  Number(LIES_IN[a.of] !== undefined) - Number(LIES_IN[b.of] !== undefined);

/** The same request of another account: the place, and what lies in it, stay; what stands beside them is that account's own. */
async function withOwn(
  self: Owner,
  { place, all, within, row }: PlacedIds,
  change: (id: string) => string = (id) => id,
): Promise<Ids> {
  const own = await idsOf(row, place, self);
  const isTried = (at: IdPlace['at']) => at === place.at || within.has(at);
  return new Map([...all].map(([at, id]) => [at, isTried(at) ? change(id) : (own.all.get(at) ?? id)]));
}

async function missingFor({ stranger }: Tenants, { of }: IdPlace): Promise<string> {
  const outer = LIES_IN[of];
  return missingId(await BELONGINGS[of](stranger, outer ? await BELONGINGS[outer](stranger, '') : ''));
}
