import type OpenAI from 'openai';

/** `supported`: it does what OpenAI says. `ignored`: the answer comes, with a warning that names it. `refused`: a 400 that names it. */
export const SUPPORTS = ['supported', 'ignored', 'refused'] as const;
export type Support = (typeof SUPPORTS)[number];

/** What is promised of one parameter of a route, or of one value of it; the suite sends it and looks. */
export interface Case {
  /** As OpenAI's description calls it, or a header. */
  parameter: string;
  /** The value that the promise is about, where it is not the whole parameter. */
  value?: string;
  support: Support;
  /** What the table says beside it. */
  note?: string;
  /** What is added to the route's smallest request. */
  send?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** The component of OpenAI's description that the answer is one of, where the route has several. */
  schema?: string;
  /** What shows that it was obeyed, beside an answer that is valid by OpenAI's schema. Throws where it was not. */
  shows?(answer: Answer): void;
}

export interface RouteCases {
  /** As in OpenAI's description: `POST /chat/completions`. */
  route: string;
  /** The smallest request. */
  smallest: Record<string, unknown>;
  /** Sends a request by the official client; fields of it are typed there, and these are not. */
  call(client: OpenAI, request: Record<string, unknown>, options: CallOptions): Promise<Response>;
  cases: Case[];
}

export interface CallOptions {
  headers: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The body, where it is JSON. */
  json?: unknown;
  /** The data of the events, where the answer is a stream of them; the last `[DONE]` is left out. */
  events?: unknown[];
  /** The body, whatever it is. */
  text: string;
}

/** Reads an answer to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  if (type.startsWith('application/json')) return { status, headers, text, json: JSON.parse(utf8(text)) };
  if (type.startsWith('text/event-stream')) return { status, headers, text, events: eventsIn(utf8(text)) };
  return { status, headers, text };
}

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function eventsIn(stream: string): unknown[] {
  const data = [...stream.matchAll(/^data: (.*)$/gm)].map(([, line = '']) => line);
  return data.filter((line) => line !== '[DONE]').map((line): unknown => JSON.parse(line));
}
