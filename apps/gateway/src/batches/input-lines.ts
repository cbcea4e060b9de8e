import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { type BatchLine, BatchLineSchema, type BatchProblem, type BatchTask, LIMITS } from '@aigolos/contracts';
import { parse as parseJson } from 'secure-json-parse';
import split from 'split2';
import { isDeeperThan } from '../plugins/json-depth.ts';

/** A line that is not empty. Lines are counted from 1, empty ones too. */
export interface InputLine {
  number: number;
  text: string;
}

/** No body of a line may be larger than the largest one of its route, whose other fields are short. */
const LINE_CHARACTERS = LIMITS.speechBodyBytes + 64 * 1024;
const PIECE_BYTES = 64 * 1024;
/** So many are told: a file that was made in another form has something wrong in each line. */
const PROBLEMS_TOLD = 100;

/** The lines of a file, in memory that does not grow with it. @throws where one of them is too long. */
export async function* linesOf(file: FileHandle): AsyncGenerator<InputLine> {
  const lines = split(/\r?\n/, { maxLength: LINE_CHARACTERS });
  // What goes wrong is told by the stream that is read.
  pipeline(Readable.from(piecesOf(file), { objectMode: false }), lines, () => {});
  let number = 0;
  for await (const text of lines as AsyncIterable<string>) {
    number += 1;
    if (text.trim() !== '') yield { number, text };
  }
}

/** A stream of the handle's own closes it with itself, and whoever stops before the end wants to read it again. */
async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(PIECE_BYTES), position });
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** What a line asks for. @throws where it is none, which an input that was checked has not. */
export function parseLine(text: string): BatchLine {
  return BatchLineSchema.parse(parseJson(text));
}

/** Looks at a whole input before any of it is run. @returns how many calls it has, and what is wrong with it. */
export async function checkInput(
  file: FileHandle,
  { endpoint }: Pick<BatchTask, 'endpoint'>,
): Promise<{ total: number; problems: BatchProblem[] }> {
  const problems: BatchProblem[] = [];
  const numbers = new Map<string, number>();
  let total = 0;
  try {
    for await (const { number, text } of linesOf(file)) {
      total += 1;
      const found = total > LIMITS.batchLines ? tooMany() : problemOf(text, { number, endpoint, numbers });
      if (found && problems.push({ ...found, line: number }) === PROBLEMS_TOLD) break;
      if (total > LIMITS.batchLines) break;
    }
  } catch (error) {
    if (!(error instanceof Error && error.message === 'maximum buffer reached')) throw error;
    const message = `A line has more than ${LINE_CHARACTERS} characters.`;
    problems.push({ code: 'invalid_json_line', message, param: null, line: null });
  }
  if (total === 0 && problems.length === 0) {
    problems.push({ code: 'empty_file', message: 'The file has no line.', param: null, line: null });
  }
  return { total, problems };
}

type Problem = Omit<BatchProblem, 'line'>;

function problemOf(
  text: string,
  { number, endpoint, numbers }: { number: number; endpoint: string; numbers: Map<string, number> },
): Problem | undefined {
  if (isDeeperThan(LIMITS.jsonDepth, text)) {
    const message = `This line has more than ${LIMITS.jsonDepth} lists and objects in one another.`;
    return { code: 'invalid_json_line', message, param: null };
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return { code: 'invalid_json_line', message: 'This line is not valid JSON.', param: null };
  }
  const parsed = BatchLineSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join('.') || null;
    const code = param === 'method' ? 'invalid_method' : 'invalid_request';
    return { code, message: `${param ?? 'The line'}: ${issue?.message ?? 'is not valid'}`, param };
  }
  const { custom_id: id, url } = parsed.data;
  if (url !== endpoint) {
    const message = `url must be the endpoint of the batch, ${endpoint}, not ${JSON.stringify(url.slice(0, 100))}.`;
    return { code: 'invalid_url', message, param: 'url' };
  }
  const earlier = numbers.get(id);
  if (earlier !== undefined) {
    const message = `custom_id ${JSON.stringify(id)} is that of line ${earlier} already.`;
    return { code: 'duplicate_custom_id', message, param: 'custom_id' };
  }
  numbers.set(id, number);
  return undefined;
}

function tooMany(): Problem {
  return { code: 'too_many_requests', message: `A batch has at most ${LIMITS.batchLines} requests.`, param: null };
}
