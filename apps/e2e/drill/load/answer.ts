import { createHash } from 'node:crypto';
import type { OperationKind } from './operations.ts';

export const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What a whole answer says: the text, or a file's bytes by their hash. */
export async function readAnswer(kind: OperationKind, response: Response): Promise<{ sha256: string; begin: string }> {
  if (kind === 'speech') {
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { sha256: sha256(bytes), begin: `${bytes.length} bytes` };
  }
  const text = response.headers.get('content-type')?.startsWith('text/event-stream')
    ? textOfStream(await response.text())
    : textOf(kind, (await response.json()) as AnswerBody);
  if (text === undefined) throw new Error('the answer is not whole');
  return { sha256: sha256(text), begin: text.slice(0, 200) };
}

interface AnswerBody {
  text?: string;
  choices?: { message?: { content: string }; delta?: { content?: string } }[];
}

function textOf(kind: OperationKind, body: AnswerBody): string | undefined {
  return kind === 'transcription' ? body.text : body.choices?.[0]?.message?.content;
}

/** What server-sent events said together; nothing where they broke off. */
function textOfStream(events: string): string | undefined {
  const data = events.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []));
  if (data.at(-1) !== '[DONE]') return undefined;
  return data
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as AnswerBody).choices?.[0]?.delta?.content ?? '')
    .join('');
}
