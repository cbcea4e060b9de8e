import type { BlobStore } from '@aigolos/blob-store';
import {
  newId,
  type TranscriptionFields,
  TranscriptionFieldsSchema,
  type TranscriptionFormat,
  type TranscriptionTask,
  type TranscriptKind,
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
import { describeAudio } from '../../forms/describe-audio.ts';
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

export interface Received {
  form: ReceivedForm;
  options: SubmissionOptions;
}

export interface SubmittedTranscription {
  submitted: Submitted<TranscriptKind>;
  /** Is the answer to come as events? */
  stream: boolean;
}

export interface Transcriptions {
  /**
   * Has a file transcribed, or translated into English, that lies in the spool; takes care of the file from then on.
   * @throws where a field or the file cannot be served; nothing is left of either then.
   */
  submit(kind: TranscriptKind, account: string, received: Received): Promise<SubmittedTranscription>;
}

const LIST_FIELDS = ['timestamp_granularities', 'include'];
const WITHOUT_EVENTS: readonly TranscriptionFormat[] = ['srt', 'vtt'];

export function createTranscriptions(deps: TranscriptionsDeps): Transcriptions {
  const { jobs, models, blobs, media, maxSeconds, reuseResults } = deps;

  async function submit(kind: TranscriptKind, account: string, { form: { file, fields: given }, options }: Received) {
    const { fields, warnings } = readFields(given);
    const id = newId(kind);
    let isStored = false;

    async function prepare(): Promise<Prepared<TranscriptKind>> {
      const { model } = await models.find('asr', fields.model);
      const language = languageFor(model, fields.language);
      const audio = { blobKey: `${id}/input`, ...(await describeAudio(media, file, maxSeconds)) };
      const task = { ...toOptions(fields), ...(language !== undefined && { language }), model: model.id, audio };
      isStored = true;
      await blobs.commit(file, audio.blobKey);
      const { offered, allowed: mayReuse } = options.reuse;
      const key = reuseResults && offered ? contentKeyFor(task, { kind, version: model.version, warnings }) : undefined;
      return { id, task, warnings, ...(key !== undefined && { content: { key, mayReuse } }) };
    }

    const said = { retention: fields.retention };
    const asked = { kind, account, body: fields, said, audio: file.sha256, options } as const;
    const submitted = await submitOnce(jobs, asked, prepare).catch(async (error: unknown) => {
      // A write that the database did not answer may have taken effect; the sweep removes the file if it has not.
      if (isStored && !isDatabaseUnavailable(error)) await blobs.deleteRecord(id);
      throw error;
    });
    // What is left of it in spite of an error, the sweep finds too.
    if (isStored && submitted.replayed) await blobs.deleteRecord(id).catch(() => {});
    return { submitted, stream: fields.stream ?? false };
  }

  return {
    async submit(kind, account, received) {
      try {
        return await submit(kind, account, received);
      } finally {
        await blobs.discard(received.form.file);
      }
    },
  };
}

function readFields(given: Record<string, unknown>): { fields: TranscriptionFields; warnings: string[] } {
  const lists = LIST_FIELDS.filter((name) => typeof given[name] === 'string').map((name) => [name, [given[name]]]);
  const parsed = TranscriptionFieldsSchema.safeParse({ ...given, ...Object.fromEntries(lists) });
  if (!parsed.success) throw invalidFields(parsed.error.issues);
  const fields = parsed.data;
  const warnings = checkOptions(fields, { known: TranscriptionFieldsSchema.shape, refused: {} });
  if (fields.stream && WITHOUT_EVENTS.includes(fields.response_format)) throw noEvents(fields.response_format);
  return { fields, warnings: [...warnings, ...warningsAbout(fields)] };
}

function warningsAbout(fields: TranscriptionFields): string[] {
  const warnings: string[] = [];
  const { timestamp_granularities: granularities, response_format: format, include, chunking_strategy: cut } = fields;
  if (granularities && format !== 'verbose_json') {
    warnings.push('timestamp_granularities needs response_format verbose_json and was ignored.');
  } else if (fields.stream && granularities?.includes('word')) {
    warnings.push('Events have no times of words; the result of the job has them.');
  }
  if (include?.includes('logprobs')) warnings.push('Ignored, because the engines here do not tell them: logprobs.');
  const settings = typeof cut === 'object' ? Object.keys(cut).filter((name) => name !== 'type') : [];
  if (settings.length > 0) {
    warnings.push(`Ignored, because audio is always cut in its pauses: chunking_strategy ${settings.join(', ')}.`);
  }
  return warnings;
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
  { kind, version, warnings }: { kind: TranscriptKind; version: string | undefined; warnings: string[] },
): string | undefined {
  if (version === undefined) return undefined;
  const { sha256, bytes } = audio;
  const said = { model, version, sha256, bytes, language, prompt, temperature, wordTimestamps, warnings };
  return contentKeyOf(kind === 'translation' ? { kind, ...said } : said);
}

function noEvents(format: TranscriptionFormat): ValidationError {
  return new ValidationError(
    `stream: events have no place for ${format}; ask for json, text or verbose_json, or send it without stream.`,
    { param: 'stream' },
  );
}
