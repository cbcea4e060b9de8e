import { createHash } from 'node:crypto';
import type { BatchView, VoiceTurn } from '@aigolos/contracts';
import type { Caller } from './http.ts';
import type { OperationKind } from './operations.ts';

export const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What a client got: the hash of it, and how it begins. */
export interface Answer {
  sha256: string;
  begin: string;
}

/** What a whole answer says: the text, or a file's bytes. */
export async function readAnswer(kind: OperationKind, response: Response): Promise<Answer> {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('audio/')) {
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { sha256: sha256(bytes), begin: `${bytes.length} bytes` };
  }
  const text = type.startsWith('text/event-stream')
    ? textOfStream(await response.text())
    : textOf(kind, (await response.json()) as AnswerBody);
  if (text === undefined) throw new Error('the answer is not whole');
  return answerOf(text);
}

/** The words of a voice turn in one text. */
export function wordsOf({ transcript, answer }: { transcript: { text: string }; answer: { text: string } }): string {
  return `${transcript.text}\n${answer.text}`;
}

/** All that came of a batch: what stands in its two files, one after the other. */
export async function readBatch(call: Caller, batch: string): Promise<Answer> {
  const { output_file_id: output, error_file_id: error } = (await (
    await get(call, `/v1/batches/${batch}`)
  ).json()) as BatchView;
  let text = '';
  for (const file of [output, error]) {
    if (file !== null) text += await (await get(call, `/v1/files/${file}/content`)).text();
  }
  return answerOf(text);
}

/** @throws where there is no good answer. */
export async function get(call: Caller, path: string): Promise<Response> {
  const outcome = await call(path);
  if (!outcome.answered) throw new Error(outcome.error);
  if (outcome.response.ok) return outcome.response;
  await outcome.response.body?.cancel().catch(() => {});
  throw new Error(`answered with ${outcome.response.status}`);
}

const answerOf = (text: string): Answer => ({ sha256: sha256(text), begin: text.slice(0, 200) });

interface AnswerBody extends Partial<Pick<VoiceTurn, 'transcript' | 'answer'>> {
  text?: string;
  choices?: { message?: { content: string }; delta?: { content?: string } }[];
}

function textOf(kind: OperationKind, body: AnswerBody): string | undefined {
  if (kind === 'transcription') return body.text;
  const { transcript, answer, choices } = body;
  return transcript && answer ? wordsOf({ transcript, answer }) : choices?.[0]?.message?.content;
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
