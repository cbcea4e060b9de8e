import type { SpeechTimings } from '@aigolos/contracts';
import type { PlannedSentence } from './speech-plan.ts';

/** When what is heard: `samples` has the length of each sentence of the plan. */
export function timingsOf(
  plan: PlannedSentence[],
  samples: number[],
  { sampleRateHz, durationSeconds }: { sampleRateHz: number; durationSeconds: number },
): SpeechTimings {
  const timings: SpeechTimings = { version: 1, durationSeconds, sentences: [], chapters: [] };
  let begin = 0;
  for (const [index, { text, chapter }] of plan.entries()) {
    const end = begin + (samples[index] ?? 0);
    const [startSeconds, endSeconds] = [seconds(begin, sampleRateHz), seconds(end, sampleRateHz)];
    if (chapter !== undefined) {
      const previous = timings.chapters.at(-1);
      if (previous) previous.end = startSeconds;
      timings.chapters.push({ title: chapter, start: startSeconds, end: durationSeconds });
    }
    const shown = text.trim().replaceAll(/\s+/g, ' ');
    if (end > begin) timings.sentences.push({ text: shown, start: startSeconds, end: endSeconds });
    begin = end;
  }
  return timings;
}

/** To the microsecond, which is less than a sample. */
function seconds(samples: number, sampleRateHz: number): number {
  return Math.round((samples / sampleRateHz) * 1e6) / 1e6;
}
