import type {
  ChatCompletion,
  JobKind,
  ResponseView,
  SpeechTimingsView,
  TranscriptionFields,
  TranscriptionJson,
  TranscriptionVerboseJson,
  VoiceTurn,
} from '@aigolos/contracts';
import type { CallOptions } from './transport.ts';

/** The forms in which a transcript can be asked for when it is submitted. */
export type TranscriptFormat = TranscriptionFields['response_format'];

/** A transcript as it was asked for. */
export type TranscriptIn<Format extends TranscriptFormat> = Format extends 'json'
  ? TranscriptionJson
  : Format extends 'verbose_json'
    ? TranscriptionVerboseJson
    : string;

/** What a transcription says, in the form that was asked for. */
export type Transcript = TranscriptIn<TranscriptFormat>;

/** The forms of a transcript that was submitted in one: its text, its subtitles, and segments with their times. */
export interface TranscriptForms<Format extends TranscriptFormat = TranscriptFormat> {
  text: string;
  srt: string;
  vtt: string;
  /** `verbose_json`, unless it was submitted as `json`. */
  json: Format extends 'json' ? TranscriptionJson : TranscriptionVerboseJson;
}

/** The forms of a speech: the sound, its subtitles, and when each sentence and chapter is heard. */
export interface SpeechForms {
  audio: Response;
  srt: string;
  vtt: string;
  json: SpeechTimingsView;
}

/** The forms of a voice turn: what was heard and answered, and the answer as sound. */
export interface VoiceTurnForms {
  json: VoiceTurn;
  audio: Response;
}

/** The forms of the results that have several, by the kind of their job. */
export interface ResultForms {
  transcription: TranscriptForms;
  translation: TranscriptForms;
  speech: SpeechForms;
  'voice-turn': VoiceTurnForms;
}

/** What comes of each kind of job unless another form is asked for: what the synchronous call would have answered. */
export interface Results {
  transcription: Transcript;
  translation: Transcript;
  /** The sound, as the body of an answer: `blob()`, `arrayBuffer()`, or `body`, a stream. */
  speech: Response;
  chat: ChatCompletion;
  response: ResponseView;
  'voice-turn': VoiceTurn;
  /** The archive, as the body of an answer. */
  export: Response;
}
/** The kinds of jobs that have a result here. */
export type ResultKind = keyof Results & JobKind;

/** In which of its forms a result is wanted. */
export interface FormOptions<Form> extends CallOptions {
  as: Form;
}

const ACCEPT = {
  text: 'text/plain',
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
  json: 'application/json',
  audio: 'audio/*',
} as const satisfies Record<keyof TranscriptForms | keyof SpeechForms | keyof VoiceTurnForms, string>;
/** A form that some result can be had in. */
export type ResultForm = keyof typeof ACCEPT;
/** What a result is fetched with, of whatever kind its job is. */
export type AnyResultOptions = CallOptions & { as?: ResultForm };

/** The header by which a form is asked for. */
export function acceptOf(form: ResultForm | undefined): Record<string, string> {
  return form === undefined ? {} : { accept: ACCEPT[form] };
}

/** JSON as what it says, text as text, and anything else as it is. */
export async function readResult(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/json')) return response.json();
  if (type.startsWith('text/') || type.startsWith('application/x-subrip')) return response.text();
  return response;
}
