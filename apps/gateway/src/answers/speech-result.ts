import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { SPEECH_FORMATS, type SpeechResult, SpeechTimingsSchema, type SpeechTimingsView } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { contentTypeOf } from '@aigolos/media';
import { preferredType } from './acceptable.ts';
import { expiresAt } from './job-view.ts';
import { notAcceptable, type ResultBlobs, type ResultFile, readFile } from './result-files.ts';
import { toSubRip, toWebVtt } from './subtitles.ts';

const SUBRIP = 'application/x-subrip';
const WEBVTT = 'text/vtt';
const JSON_TYPE = 'application/json';
/** What clients ask for that want bytes, such as OpenAI's. */
const ANY_BYTES = 'application/octet-stream';

export type SpeechResultBody =
  | { type: 'json'; body: SpeechTimingsView }
  | { type: 'text'; text: Readable; contentType: string }
  | ResultFile;

/**
 * A speech in the form that the header Accept prefers: the audio itself, which goes before the others, its subtitles, or when
 * what is heard.
 * @throws AIGolosError `RESULT_NOT_ACCEPTABLE` where it takes none of them.
 */
export async function speechResult(
  blobs: ResultBlobs,
  job: JobRecord<'speech'>,
  { result, accept }: { result: SpeechResult; accept: string | undefined },
): Promise<SpeechResultBody> {
  const { contentType, timings: stored } = result;
  const offered = stored ? [contentType, ANY_BYTES, SUBRIP, WEBVTT, JSON_TYPE] : [contentType, ANY_BYTES];
  const type = preferredType(accept, offered);
  if (type === undefined) throw notAcceptable(job, offered);
  if (!stored || type === contentType || type === ANY_BYTES) return readFile(blobs, job, result);

  const file = await readFile(blobs, job, { ...stored, contentType: JSON_TYPE });
  const { durationSeconds, sentences, chapters } = SpeechTimingsSchema.parse(await json(file.stream));
  if (type === SUBRIP || type === WEBVTT) {
    const pages = type === SUBRIP ? toSubRip(sentences) : toWebVtt(sentences);
    return { type: 'text', contentType: `${type}; charset=utf-8`, text: Readable.from(pages, { objectMode: false }) };
  }
  return {
    type: 'json',
    body: {
      id: job._id,
      object: 'audio.speech.timings',
      duration: durationSeconds,
      sentences,
      chapters,
      expires_at: expiresAt(job),
    },
  };
}

/** Does an Accept header prefer the sound to what goes with it? */
export function takesAudio(accept: string | undefined): boolean {
  const audio = SPEECH_FORMATS.map(contentTypeOf);
  const type = preferredType(accept, [...audio, ANY_BYTES, SUBRIP, WEBVTT, JSON_TYPE]);
  return type === ANY_BYTES || audio.some((one) => one === type);
}
