import type { JobView, VoiceTurn } from '@aigolos/contracts';
import { type ChatStream, streamChat } from './chat-stream.ts';
import { createJobHandle, type JobHandle } from './job-handle.ts';
import { createJobs, type Jobs } from './jobs.ts';
import type { ChatParams, FileParams, SpeechParams, TranscriptionParams, VoiceTurnParams } from './params.ts';
import type {
  ResultKind,
  Results,
  SpeechForms,
  TranscriptFormat,
  TranscriptForms,
  TranscriptIn,
  VoiceTurnForms,
} from './results.ts';
import { type SubmitOptions, submitForm, submitJson } from './submission.ts';
import { type ClientOptions, createTransport } from './transport.ts';
import type { FormUpload, UploadFile } from './upload.ts';

/** Everything is a job: what is submitted here outlives this process, and is found again by its id. */
export interface Client {
  transcriptions: {
    /** Uploads audio and has it transcribed. Resolves when the job is promised, as each `submit` does. */
    submit: SubmitAudio;
  };
  translations: {
    /** Uploads audio and has written in English what is said in it, whatever is spoken. */
    submit: SubmitAudio;
  };
  speech: {
    /** Has a text spoken. */
    submit(params: SpeechParams, options?: SubmitOptions): Promise<JobHandle<Response, SpeechForms>>;
  };
  chat: {
    /** Has messages answered; a turn of a conversation where one is named. */
    submit(params: ChatParams, options?: SubmitOptions): Promise<JobHandle<Results['chat']>>;
    /** The same, with the answer while it is made. */
    stream(params: ChatParams, options?: SubmitOptions): Promise<ChatStream>;
  };
  voiceTurns: {
    /** Uploads what was said and has it heard, answered, and the answer spoken; a turn of a conversation where one is named. */
    submit(params: VoiceTurnParams, options?: SubmitOptions): Promise<JobHandle<VoiceTurn, VoiceTurnForms>>;
  };
  /** All jobs of the account, by their ids. */
  jobs: Jobs;
}

type SubmitAudio = <Format extends TranscriptFormat = 'json'>(
  params: TranscriptionParams<Format>,
  options?: SubmitOptions,
) => Promise<JobHandle<TranscriptIn<Format>, TranscriptForms<Format>>>;

/** A client of one installation. */
export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options);
  const jobs = createJobs(transport);
  const handle = <Result, Forms extends object = object>(kind: ResultKind, job: JobView) =>
    createJobHandle<Result, Forms>(jobs, kind, job);

  const submitsAudio =
    (kind: 'transcription' | 'translation', path: string): SubmitAudio =>
    async (params, options = {}) =>
      handle(kind, await submitForm(transport, path, toUpload(params), options));

  return {
    jobs,
    transcriptions: { submit: submitsAudio('transcription', '/v1/audio/transcriptions') },
    translations: { submit: submitsAudio('translation', '/v1/audio/translations') },
    speech: {
      async submit(params, options = {}) {
        return handle('speech', await submitJson(transport, '/v1/audio/speech', params, options));
      },
    },
    chat: {
      async submit(params, options = {}) {
        return handle('chat', await submitJson(transport, '/v1/chat/completions', params, options));
      },
      stream: (params, options = {}) => streamChat(transport, params, options),
    },
    voiceTurns: {
      async submit(params, options = {}) {
        return handle('voice-turn', await submitForm(transport, '/v1/voice/turns', toUpload(params), options));
      },
    },
  };
}

type FieldValue = string | number | string[] | undefined;

/** A form with a file. Lists have names that end in `[]`, as OpenAI's clients write them. */
function toUpload({ file, fileName = nameOf(file), onProgress, ...values }: FileParams): FormUpload {
  const fields = Object.entries(values as Record<string, FieldValue>).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item) => [`${name}[]`, item]);
    return [[name, String(value)]];
  });
  return { file, fileName, fields, onProgress };
}

function nameOf(file: UploadFile): string {
  return file instanceof File && file.name !== '' ? file.name : 'audio';
}
