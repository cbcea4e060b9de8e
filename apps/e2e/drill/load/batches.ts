import type { Random } from '../random.ts';
import { type Operation, plainText } from './operations.ts';

/** What a line becomes, by the route that all lines of its batch call. */
const KIND_OF_LINES = { '/v1/chat/completions': 'chat', '/v1/audio/speech': 'speech' } as const;

export interface BatchLine {
  /** Its `custom_id`; it stands in the content of the line's job, too. */
  id: string;
  text: string;
  /** It asks for what there is not, which only its own call can find. */
  isRefused: boolean;
}

export type BatchOperation = Extract<Operation, { kind: 'batch' }>;

const LINES = { least: 3, most: 8 };
/** Above what any route takes. */
const TOO_MUCH = 9;

/** Some chats or texts to be spoken, one of which is refused. */
export function batchOperation(
  random: Random,
  { id, atMs, isCancelled }: { id: string; atMs: number; isCancelled: boolean },
): BatchOperation {
  const endpoint = random.pick(['/v1/chat/completions', '/v1/audio/speech'] as const);
  const count = random.between(LINES.least, LINES.most);
  const refused = random.between(0, count - 1);
  const lines = Array.from({ length: count }, (_, place): BatchLine => {
    const line = `${id}line${place}`;
    const isLong = KIND_OF_LINES[endpoint] === 'chat' && random.chance(0.5);
    const said = isLong ? `[[words ${random.between(20, 60)}]]` : `${plainText(random, random.between(10, 40))}.`;
    return { id: line, text: `${line}: ${said}`, isRefused: place === refused };
  });
  return {
    id,
    atMs,
    kind: 'batch',
    manner: 'async',
    hasKey: true,
    endpoint,
    lines,
    ...(random.chance(0.3) && { duplicate: random.pick(['at_once', 'after_end'] as const) }),
    ...(isCancelled && { cancelAfterMs: random.between(300, 2_000) }),
  };
}

/** What the jobs of its lines do: one that is refused has none. */
export function operationsOfLines({ atMs, endpoint, lines, cancelAfterMs }: BatchOperation): Operation[] {
  const base = { atMs, manner: 'async', hasKey: true, ...(cancelAfterMs !== undefined && { cancelAfterMs }) } as const;
  return lines
    .filter(({ isRefused }) => !isRefused)
    .map(({ id, text }): Operation => {
      switch (KIND_OF_LINES[endpoint]) {
        case 'chat':
          return { ...base, id, text, kind: 'chat' };
        case 'speech':
          return { ...base, id, text, kind: 'speech', format: 'wav' };
      }
    });
}

/** Its file, one line after another. */
export function inputOf({ endpoint, lines }: BatchOperation): string {
  return lines
    .map(({ id, text, isRefused }) => ({
      custom_id: id,
      method: 'POST',
      url: endpoint,
      body: { ...bodyOf(endpoint, text), ...(isRefused && { temperature: TOO_MUCH, speed: TOO_MUCH }) },
    }))
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

function bodyOf(endpoint: BatchOperation['endpoint'], text: string): object {
  switch (KIND_OF_LINES[endpoint]) {
    case 'chat':
      return { model: 'gpt-4o', messages: [{ role: 'user', content: text }] };
    case 'speech':
      return { model: 'tts-1', voice: 'alloy', input: text, response_format: 'wav' };
  }
}
