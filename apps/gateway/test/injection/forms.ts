import { randomUUID } from 'node:crypto';
import { TEXTS } from './corpus.ts';
import { type HostileRequest, NOW, type Prepared, type Route } from './hostile-request.ts';
import { type Describes, type Schema, sampleOf } from './places.ts';

const FORM_KEYS = ['$gt', '__proto__', ''];

/** Requests with a form in one field of which something stands that is not right, in its name, or in that of its file. */
export function* inForm(
  route: Route,
  schema: Schema,
  { describes, prepared }: { describes: Describes; prepared: Prepared },
): Generator<HostileRequest> {
  const name = schema.$ref?.split('/').at(-1) ?? '';
  const { properties = {}, required = [] } = describes.schemas[name] ?? schema;
  const file = 'data' in properties ? 'data' : 'file';
  const { pick } = route;
  const texts = Object.keys(properties).filter((field) => field !== file);
  const needed = required.filter((field) => field !== file);
  const smallest = new Map(needed.map((field) => [field, String(sampleOf(properties[field] ?? {}, describes, field))]));
  const send = (place: string, fields: Map<string, string>, filename = 'a.wav') => ({
    ...route,
    place: `${route.place} form ${place}`,
    ...formOf(fields, { file, filename, bytes: prepared.audio }),
  });
  for (const field of texts) {
    for (const text of pick(TEXTS, 2)) yield send(field, new Map([...smallest, [field, text]]));
    for (const key of pick(FORM_KEYS, 1))
      yield send(`${field}[${key}]`, new Map([...smallest, [`${field}[${key}]`, 'x']]));
  }
  for (const text of pick(TEXTS, 8)) yield send('filename', smallest, text);
  for (const text of pick(TEXTS, 6)) yield send('name of a field', new Map([...smallest, [text, 'x']]));
}

function formOf(
  fields: Map<string, string>,
  { file, filename, bytes }: { file: string; filename: string; bytes: Buffer },
): Pick<HostileRequest, 'headers' | 'body'> {
  const boundary = `form-${randomUUID()}`;
  // As a browser writes names; whoever writes CR and LF as they are makes another form.
  const quoted = (text: string) => text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const part = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"${more}\r\n\r\n`;
  const head = [...fields].map(([name, value]) => `${part(name)}${value}\r\n`).join('');
  const body = [`${head}${part(file, `; filename="${quoted(filename)}"`)}`, bytes, `\r\n--${boundary}--\r\n`];
  return {
    headers: { ...NOW, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat(body.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
  };
}
