import type { VoiceTurn, VoiceTurnResult } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { preferredType } from './acceptable.ts';
import { expiresAt, unixSeconds } from './job-view.ts';
import { notAcceptable, type ResultBlobs, type ResultFile, readFile } from './result-files.ts';

const JSON_TYPE = 'application/json';

/**
 * What was heard and answered, or, where the header Accept prefers it, the sound of the answer.
 * @throws AIGolosError `RESULT_NOT_ACCEPTABLE` where it takes neither.
 */
export async function voiceTurnResult(
  blobs: ResultBlobs,
  job: JobRecord<'voice-turn'>,
  { result, accept }: { result: VoiceTurnResult; accept: string | undefined },
): Promise<{ type: 'json'; body: VoiceTurn } | ResultFile> {
  const offered = [JSON_TYPE, result.speech.contentType];
  const type = preferredType(accept, offered);
  if (type === undefined) throw notAcceptable(job, offered);
  return type === JSON_TYPE ? { type: 'json', body: toVoiceTurn(job, result) } : readFile(blobs, job, result.speech);
}

function toVoiceTurn(job: JobRecord<'voice-turn'>, { transcript, answer, speech }: VoiceTurnResult): VoiceTurn {
  const { task } = job;
  const self = `/v1/voice/turns/${job._id}`;
  return {
    id: job._id,
    object: 'voice.turn',
    created_at: unixSeconds(job.createdAt),
    transcript: {
      text: transcript.text,
      language: transcript.language,
      duration: transcript.durationSeconds,
      model: task.transcription.model,
    },
    answer: { text: answer.text, finish_reason: answer.finishReason, model: task.model },
    audio: {
      content_type: speech.contentType,
      bytes: speech.bytes,
      duration: speech.durationSeconds,
      model: task.speech.model,
      voice: task.speech.voice,
    },
    conversation: job.conversation ?? null,
    expires_at: expiresAt(job),
    urls: { job: `/v1/jobs/${job._id}`, audio: `${self}/audio` },
  };
}
