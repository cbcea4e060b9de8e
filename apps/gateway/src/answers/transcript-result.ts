import { Readable } from 'node:stream';
import type {
  TranscriptionFormat,
  TranscriptionJson,
  TranscriptionResult,
  TranscriptionVerboseJson,
  TranscriptKind,
} from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { preferredType } from './acceptable.ts';
import { expiresAt } from './job-view.ts';
import { notAcceptable } from './result-files.ts';
import { toSubRip, toWebVtt } from './subtitles.ts';

const MEDIA_TYPES = {
  json: 'application/json',
  verbose_json: 'application/json',
  text: 'text/plain',
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
} as const satisfies Record<TranscriptionFormat, string>;

/** What `Accept` may choose; the form that was asked for goes before them. */
const OFFERED: readonly TranscriptionFormat[] = ['verbose_json', 'text', 'srt', 'vtt'];

export type TranscriptBody =
  | { type: 'json'; body: TranscriptionJson | TranscriptionVerboseJson }
  | { type: 'text'; text: string | Readable; contentType: string };

type TranscriptJob = JobRecord<TranscriptKind>;

/**
 * A transcript as its request asked for it, unless the header Accept prefers another of its forms.
 * @throws AIGolosError `RESULT_NOT_ACCEPTABLE` where it takes none of them.
 */
export function transcriptResult(
  job: TranscriptJob,
  result: TranscriptionResult,
  accept: string | undefined,
): TranscriptBody {
  const forms = [job.task.responseFormat, ...OFFERED];
  const types = forms.map((form) => MEDIA_TYPES[form]);
  const type = preferredType(accept, types);
  const form = type && forms[types.indexOf(type)];
  if (!form) throw notAcceptable(job, [...new Set(types)]);
  const { text, segments } = result;
  const contentType = `${type}; charset=utf-8`;
  switch (form) {
    case 'text':
      return { type: 'text', text, contentType };
    case 'srt':
      return { type: 'text', text: Readable.from(toSubRip(segments), { objectMode: false }), contentType };
    case 'vtt':
      return { type: 'text', text: Readable.from(toWebVtt(segments), { objectMode: false }), contentType };
    case 'json':
      return { type: 'json', body: { text, usage: usageOf(result), expires_at: expiresAt(job) } };
    case 'verbose_json':
      return { type: 'json', body: toVerboseJson(job, result) };
  }
}

function toVerboseJson(job: TranscriptJob, result: TranscriptionResult): TranscriptionVerboseJson {
  const { text, language, durationSeconds: duration, segments, words } = result;
  const { segmentTimestamps, wordTimestamps } = job.task;
  const isTranslation = job.kind === 'translation';
  return {
    task: isTranslation ? 'translate' : 'transcribe',
    language: isTranslation ? 'english' : language,
    duration,
    text,
    ...(segmentTimestamps !== false && { segments }),
    ...(wordTimestamps && { words }),
    usage: usageOf(result),
    expires_at: expiresAt(job),
  };
}

const usageOf = ({ durationSeconds }: TranscriptionResult) => ({
  type: 'duration' as const,
  seconds: Math.ceil(durationSeconds),
});
