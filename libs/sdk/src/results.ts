import type { ChatCompletion, TranscriptionJson, TranscriptionVerboseJson } from '@aigolos/contracts';

/** What a transcription says, in the form that was asked for. */
export type Transcript = TranscriptionJson | TranscriptionVerboseJson | string;

/** What comes of each kind of job: what the synchronous call would have answered. */
export interface Results {
  transcription: Transcript;
  /** The sound, as the body of an answer: `blob()`, `arrayBuffer()`, or `body`, a stream. */
  speech: Response;
  chat: ChatCompletion;
}
export type ResultKind = keyof Results;

/** JSON as what it says, text as text, and anything else as it is. */
export async function readResult(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/json')) return response.json();
  if (type.startsWith('text/') || type.startsWith('application/x-subrip')) return response.text();
  return response;
}
