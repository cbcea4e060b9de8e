import type { BlobStore } from '@aigolos/blob-store';
import { type SpeechTask, TtsServiceError } from '@aigolos/contracts';
import { splitSentences, type TtsAudio, type TtsEngine } from '@aigolos/engines/tts';
import type { JobContext, Processor } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';

export interface SpeakDeps {
  engines: TtsEngine[];
  media: Media;
  blobs: Pick<BlobStore, 'receive' | 'commit'>;
}

/** Speaks sentence by sentence, encoding meanwhile. */
export function createSpeakProcessor({ engines, media, blobs }: SpeakDeps): Processor<'speech'> {
  return async (context) => {
    const { job, signal } = context;
    const { task } = job;
    const begun = performance.now();
    const audio = await media.encode(speak(engineFor(engines, task), context), task.format, signal);
    const file = await blobs.receive(audio.stream, { maxBytes: audio.bytes, signal });
    // The fence in the key keeps a late writer from overwriting what the winner wrote.
    const blobKey = `${job._id}/output-${job.fence}.${task.format}`;
    await blobs.commit(file, blobKey);
    return {
      result: { blobKey, contentType: audio.contentType, bytes: audio.bytes, durationSeconds: audio.durationSeconds },
      usage: {
        inputCharacters: Array.from(task.input).length,
        audioSeconds: audio.durationSeconds,
        computeMs: performance.now() - begun,
      },
      warnings: [],
    };
  };
}

async function* speak(
  engine: TtsEngine,
  { job, signal, reportProgress }: JobContext<'speech'>,
): AsyncGenerator<TtsAudio> {
  const { input, voice, speed } = job.task;
  let spoken = 0;
  for (const sentence of splitSentences(input)) {
    yield* engine.synthesize(sentence, { voice, speed }, signal);
    spoken += sentence.length;
    reportProgress(spoken / input.length);
  }
}

function engineFor(engines: TtsEngine[], { model }: SpeechTask): TtsEngine {
  const engine = engines.find((candidate) => candidate.model === model);
  if (engine) return engine;
  const served = engines.map((candidate) => candidate.model).join(', ');
  throw new TtsServiceError(`Model ${model} is not served any more; this installation has ${served}.`, {
    code: 'TTS_ENGINE_REJECTED',
    param: 'model',
  });
}
