import type {
  ChatCompletionRequestSchema,
  JobView,
  SpeechRequestSchema,
  TranscriptionFieldsSchema,
  TranscriptionJson,
  TranscriptionVerboseJson,
} from '@aigolos/contracts';
import type { z } from 'zod';
import { type ChatStream, streamChat } from './chat-stream.ts';
import { createJobHandle, type JobHandle } from './job-handle.ts';
import { createJobs, type Jobs } from './jobs.ts';
import type { Results } from './results.ts';
import { type SubmitOptions, submitForm, submitJson } from './submission.ts';
import { type ClientOptions, createTransport } from './transport.ts';
import type { UploadFile, UploadProgress } from './upload.ts';

/** The named fields of a request: the service takes others too, which would hide a misspelt name here. */
type Named<Body> = { [Name in keyof Body as string extends Name ? never : Name]: Body[Name] };

type TranscriptionFields = Named<z.input<typeof TranscriptionFieldsSchema>>;
export type TranscriptFormat = NonNullable<TranscriptionFields['response_format']>;
export interface TranscriptionParams<Format extends TranscriptFormat = TranscriptFormat>
  extends Omit<TranscriptionFields, 'response_format' | 'temperature' | 'retention' | 'stream' | 'chunking_strategy'> {
  file: UploadFile;
  /** The name of a `File` where absent. It decides nothing: the content does. */
  fileName?: string;
  response_format?: Format;
  temperature?: number;
  onProgress?: (progress: UploadProgress) => void;
}
export type SpeechParams = Omit<Named<z.input<typeof SpeechRequestSchema>>, 'retention' | 'stream_format'>;
export type ChatParams = Omit<
  Named<z.input<typeof ChatCompletionRequestSchema>>,
  'retention' | 'stream' | 'stream_options' | 'metadata'
>;

/** A transcript of this format. */
export type TranscriptIn<Format extends TranscriptFormat> = Format extends 'json'
  ? TranscriptionJson
  : Format extends 'verbose_json'
    ? TranscriptionVerboseJson
    : string;

/** Everything is a job: what is submitted here outlives this process, and is found again by its id. */
export interface Client {
  transcriptions: {
    /** Uploads audio and has it transcribed. Resolves when the job is promised. */
    submit<Format extends TranscriptFormat = 'json'>(
      params: TranscriptionParams<Format>,
      options?: SubmitOptions,
    ): Promise<JobHandle<TranscriptIn<Format>>>;
  };
  speech: {
    /** Has a text spoken. */
    submit(params: SpeechParams, options?: SubmitOptions): Promise<JobHandle<Results['speech']>>;
  };
  chat: {
    /** Has messages answered; a turn of a conversation where one is named. */
    submit(params: ChatParams, options?: SubmitOptions): Promise<JobHandle<Results['chat']>>;
    /** The same, with the answer while it is made. */
    stream(params: ChatParams, options?: SubmitOptions): Promise<ChatStream>;
  };
  jobs: Jobs;
}

/** A client of one installation. */
export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options);
  const jobs = createJobs(transport);
  const handle = <Result>(job: JobView, read: (id: string, signal?: AbortSignal) => Promise<Result>) =>
    createJobHandle(jobs, job, read);

  return {
    jobs,
    transcriptions: {
      async submit<Format extends TranscriptFormat = 'json'>(
        { file, fileName, onProgress, ...fields }: TranscriptionParams<Format>,
        options: SubmitOptions = {},
      ) {
        const upload = { file, fileName: fileName ?? nameOf(file), fields: toFormFields(fields), onProgress };
        const job = await submitForm(transport, '/v1/audio/transcriptions', upload, options);
        return handle(job, async (id, signal) => {
          return (await jobs.result('transcription', id, { signal })) as TranscriptIn<Format>;
        });
      },
    },
    speech: {
      async submit(params, options = {}) {
        const job = await submitJson(transport, '/v1/audio/speech', params, options);
        return handle(job, (id, signal) => jobs.result('speech', id, { signal }));
      },
    },
    chat: {
      async submit(params, options = {}) {
        const job = await submitJson(transport, '/v1/chat/completions', params, options);
        return handle(job, (id, signal) => jobs.result('chat', id, { signal }));
      },
      stream: (params, options = {}) => streamChat(transport, params, options),
    },
  };
}

function nameOf(file: UploadFile): string {
  return file instanceof File && file.name !== '' ? file.name : 'audio';
}

type FieldValue = string | number | string[] | undefined;

/** Lists have names that end in `[]`, as OpenAI's clients write them. */
function toFormFields(fields: Record<string, FieldValue>): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item) => [`${name}[]`, item]);
    return [[name, String(value)]];
  });
}
