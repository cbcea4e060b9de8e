import type { BlobStore } from '@aigolos/blob-store';
import {
  newId,
  type TranscriptionFields,
  TranscriptionFieldsSchema,
  type TranscriptionTask,
  ValidationError,
} from '@aigolos/contracts';
import { isDatabaseUnavailable } from '@aigolos/db';
import { contentKeyOf, type Jobs, type Submitted } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { type Prepared, submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { AnnouncedModel, ModelDirectory } from '../../catalogue/model-directory.ts';
import { invalidFields } from '../../errors/invalid-fields.ts';
import type { ReceivedForm } from '../../forms/receive-form.ts';

export interface TranscriptionsDeps {
  jobs: Jobs;
  models: ModelDirectory;
  blobs: Pick<BlobStore, 'commit' | 'discard' | 'deleteRecord'>;
  media: Pick<Media, 'probe'>;
  maxSeconds: number;
  /** May results be reused? */
  reuseResults: boolean;
}

export interface Transcriptions {
  /**
   * Has a file transcribed that lies in the spool; takes care of the file from then on.
   * @throws where a field or the file cannot be served; nothing is left of either then.
   */
  submit(account: string, form: ReceivedForm, options: SubmissionOptions): Promise<Submitted<'transcription'>>;
}

const LIST_FIELDS = ['timestamp_granularities', 'include'];
/** What would make the answer another one than the client reads. */
const REFUSED = {
  stream: 'is not supported for transcripts yet; send "Prefer: respond-async" and look at the job for its progress',
};

export function createTranscriptions(deps: TranscriptionsDeps): Transcriptions {
  const { jobs, models, blobs, media, maxSeconds, reuseResults } = deps;

  async function submit(account: string, { file, fields: given }: ReceivedForm, options: SubmissionOptions) {
    const { fields, warnings } = readFields(given);
    const id = newId('transcription');
    let isStored = false;

    async function prepare(): Promise<Prepared<'transcription'>> {
      const { model } = await models.find('asr', fields.model);
      const language = languageFor(model, fields.language);
      const { durationSeconds } = await media.probe(file.path);
      if (durationSeconds !== undefined && durationSeconds > maxSeconds) throw tooLong(durationSeconds, maxSeconds);
      const audio = {
        blobKey: `${id}/input`,
        bytes: file.bytes,
        sha256: file.sha256,
        ...(durationSeconds !== undefined && { durationSeconds }),
      };
      const task = { ...toOptions(fields), ...(language !== undefined && { language }), model: model.id, audio };
      isStored = true;
      await blobs.commit(file, audio.blobKey);
      const { offered, allowed: mayReuse } = options.reuse;
      const key = reuseResults && offered ? contentKeyFor(task, { version: model.version, warnings }) : undefined;
      return { id, task, warnings, ...(key !== undefined && { content: { key, mayReuse } }) };
    }

    const said = { retention: fields.retention };
    const asked = { kind: 'transcription', account, body: fields, said, audio: file.sha256, options } as const;
    const submitted = await submitOnce(jobs, asked, prepare).catch(async (error: unknown) => {
      // A write that the database did not answer may have taken effect; the sweep removes the file if it has not.
      if (isStored && !isDatabaseUnavailable(error)) await blobs.deleteRecord(id);
      throw error;
    });
    // What is left of it in spite of an error, the sweep finds too.
    if (isStored && submitted.replayed) await blobs.deleteRecord(id).catch(() => {});
    return submitted;
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

/**
 * What is said in the same audio by the same model under the same options; undefined where the model does not tell its
 * version, so that nobody knows whether it is the same. How the answer is written makes no difference.
 */
function contentKeyFor(
  { model, language, prompt, temperature, wordTimestamps, audio }: TranscriptionTask,
  { version, warnings }: { version: string | undefined; warnings: string[] },
): string | undefined {
  if (version === undefined) return undefined;
  const { sha256, bytes } = audio;
  return contentKeyOf({ model, version, sha256, bytes, language, prompt, temperature, wordTimestamps, warnings });
}

function tooLong(seconds: number, maxSeconds: number): ValidationError {
  return new ValidationError(`The audio is ${Math.ceil(seconds)} s long; the limit is ${maxSeconds} s.`, {
    code: 'AUDIO_TOO_LONG',
    param: 'file',
  });
}
