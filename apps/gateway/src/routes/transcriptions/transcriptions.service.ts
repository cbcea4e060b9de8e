import type { BlobStore } from '@aigolos/blob-store';
import {
  newId,
  type TranscriptionFields,
  TranscriptionFieldsSchema,
  type TranscriptionTask,
  ValidationError,
} from '@aigolos/contracts';
import { isDatabaseUnavailable, type JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { AnnouncedModel, ModelDirectory } from '../../catalogue/model-directory.ts';
import { invalidFields } from '../../errors/invalid-fields.ts';
import type { ReceivedForm } from './receive-form.ts';

export interface TranscriptionsDeps {
  jobs: Jobs;
  models: ModelDirectory;
  blobs: Pick<BlobStore, 'commit' | 'discard' | 'deleteRecord'>;
  media: Pick<Media, 'probe'>;
  maxSeconds: number;
}

export interface Transcriptions {
  /**
   * Has a file transcribed that lies in the spool; takes care of the file from then on.
   * @throws where a field or the file cannot be served; nothing is left of either then.
   */
  submit(account: string, form: ReceivedForm, options: SubmissionOptions): Promise<JobRecord<'transcription'>>;
}

const LIST_FIELDS = ['timestamp_granularities', 'include'];
/** What would make the answer another one than the client reads. */
const REFUSED = {
  stream: 'is not supported for transcripts yet; send "Prefer: respond-async" and look at the job for its progress',
};

export function createTranscriptions({ jobs, models, blobs, media, maxSeconds }: TranscriptionsDeps): Transcriptions {
  async function submit(account: string, { file, fields: given }: ReceivedForm, options: SubmissionOptions) {
    const { fields, warnings } = readFields(given);
    const { model } = await models.find('asr', fields.model);
    const language = languageFor(model, fields.language);
    const { durationSeconds } = await media.probe(file.path);
    if (durationSeconds !== undefined && durationSeconds > maxSeconds) throw tooLong(durationSeconds, maxSeconds);

    const id = newId('transcription');
    const audio = {
      blobKey: `${id}/input`,
      bytes: file.bytes,
      sha256: file.sha256,
      ...(durationSeconds !== undefined && { durationSeconds }),
    };
    const task = { ...toOptions(fields), ...(language !== undefined && { language }), model: model.id, audio };
    await blobs.commit(file, audio.blobKey);
    const retention = { ...options.retention, ...fields.retention };
    const submission = { kind: 'transcription', id, account, task, warnings, ...options, retention } as const;
    return jobs.submit(submission).catch(async (error: unknown) => {
      // A write that the database did not answer may have taken effect; the sweep removes the file if it has not.
      if (!isDatabaseUnavailable(error)) await blobs.deleteRecord(id);
      throw error;
    });
  }

  return {
    async submit(account, form, options) {
      try {
        return await submit(account, form, options);
      } finally {
        await blobs.discard(form.file);
      }
    },
  };
}

function readFields(given: Record<string, unknown>): { fields: TranscriptionFields; warnings: string[] } {
  const lists = LIST_FIELDS.filter((name) => typeof given[name] === 'string').map((name) => [name, [given[name]]]);
  const parsed = TranscriptionFieldsSchema.safeParse({ ...given, ...Object.fromEntries(lists) });
  if (!parsed.success) throw invalidFields(parsed.error.issues);
  const fields = parsed.data;
  const warnings = checkOptions(fields, { known: TranscriptionFieldsSchema.shape, refused: REFUSED });
  if (fields.timestamp_granularities && fields.response_format !== 'verbose_json') {
    warnings.push('timestamp_granularities needs response_format verbose_json and was ignored.');
  }
  return { fields, warnings };
}

/** Engines know languages, not regions: `pt-BR` is asked for as `pt`. */
function languageFor({ id, languages }: AnnouncedModel, language: string | undefined): string | undefined {
  const primary = language?.split('-', 1)[0];
  if (primary === undefined || languages.length === 0 || languages.includes(primary)) return primary;
  throw new ValidationError(
    `language: model ${id} does not know "${language}"; it knows ${languages.toSorted().join(', ')}.`,
    { param: 'language' },
  );
}

function toOptions(fields: TranscriptionFields): Omit<TranscriptionTask, 'model' | 'audio' | 'language'> {
  const { prompt, temperature, response_format: responseFormat, timestamp_granularities: granularities = [] } = fields;
  const verbose = responseFormat === 'verbose_json';
  return {
    responseFormat,
    wordTimestamps: verbose && granularities.includes('word'),
    // OpenAI's default is segments; whoever asks for words alone gets words alone.
    segmentTimestamps: granularities.length === 0 || granularities.includes('segment'),
    ...(prompt !== undefined && prompt !== '' && { prompt }),
    ...(temperature !== undefined && { temperature }),
  };
}

function tooLong(seconds: number, maxSeconds: number): ValidationError {
  return new ValidationError(`The audio is ${Math.ceil(seconds)} s long; the limit is ${maxSeconds} s.`, {
    code: 'AUDIO_TOO_LONG',
    param: 'file',
  });
}
