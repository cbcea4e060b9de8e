import type { IdPlace, Row } from './rows.ts';

/** Which id stands where. */
export type Ids = Map<IdPlace['at'], string>;

export interface Answer {
  status: number;
  /** What says of an error which one it is. */
  code: string | undefined;
  /** Everything that tells one answer from another, with the ids of the request, and its own, taken out. */
  seen: string;
}

/** Sends what a row says, with these ids in it. */
export async function send(
  url: string,
  name: string,
  { row, ids, body, key }: { row: Row; ids: Ids; body?: IdPlace['body'] | undefined; key: string | undefined },
): Promise<Answer> {
  const [method = '', pattern = ''] = name.split(' ');
  const target = new URL(pattern, url);
  for (const [parameter, value] of Object.entries(row.query ?? {})) target.searchParams.set(parameter, value);
  const fields = structuredClone({ ...row.body, ...body });
  for (const [at, id] of ids) {
    const [where, ...path] = at.split('.');
    if (where === 'path') target.pathname = decodeURI(target.pathname).replace(`{${path[0]}}`, id);
    else if (where === 'query') target.searchParams.set(path[0] ?? '', id);
    else put(fields, path, id);
  }
  const hasBody = row.file !== undefined || row.body !== undefined || Object.keys(fields).length > 0;
  const response = await fetch(target, {
    method,
    headers: {
      ...(!row.waits && { prefer: 'respond-async' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(hasBody && row.file === undefined && { 'content-type': 'application/json' }),
    },
    ...(hasBody && { body: row.file === undefined ? JSON.stringify(fields) : toForm(fields, row.file) }),
  });
  return toAnswer(response, [...ids.values()]);
}

async function toAnswer(response: Response, ids: string[]): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  const code = /"code":\s*"(\w+)"/.exec(text)?.[1];
  const requestId = headers.get('x-request-id') ?? '';
  const withoutIds = [requestId, ...ids].reduce((rest, id) => rest.replaceAll(id, '…'), text);
  const names = [...headers.keys()].filter((name) => name !== 'content-length').toSorted();
  return { status, code, seen: [status, names.join(' '), withoutIds].join('\n') };
}

function put(fields: Record<string, unknown>, path: string[], id: string): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) fields[name] = id;
  else put((fields[name] ??= {}) as Record<string, unknown>, rest, id);
}

function toForm(fields: Record<string, unknown>, file: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append(file, new Blob(['content']), 'f');
  return form;
}
