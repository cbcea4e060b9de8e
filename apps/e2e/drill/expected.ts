import type { ChatMessage } from '@aigolos/contracts';
import { createTestAsrEngine } from '@aigolos/engines/asr';
import { createTestLlmEngine } from '@aigolos/engines/llm';
import { createTestTtsEngine, splitSentences } from '@aigolos/engines/tts';
import { makeSamples } from './load/sound.ts';

const never = new AbortController().signal;
const asr = createTestAsrEngine();
const llm = createTestLlmEngine();
const tts = createTestTtsEngine();

/** What the deterministic recogniser hears in the sound of a seed. */
export async function expectedTranscript(seed: number, seconds: number): Promise<string> {
  const samples = Float32Array.from(makeSamples(seed, seconds), (sample) => sample / 0x8000);
  const { segments } = await asr.transcribe(samples, { wordTimestamps: false }, never);
  return segments
    .map(({ text }) => text)
    .join('')
    .trim();
}

/** What the deterministic model answers, and how many tokens it counts. */
export async function expectedAnswer(
  messages: ChatMessage[],
): Promise<{ text: string; promptTokens: number; completionTokens: number }> {
  const generation = llm.generate(messages, { stop: [] }, never);
  let text = '';
  for (;;) {
    const next = await generation.next();
    if (next.done) return { text, ...next.value };
    text += next.value;
  }
}

/** The samples that the deterministic voice makes of a text. */
export async function expectedSamples(text: string, voice: string): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  for (const sentence of splitSentences(text)) {
    for await (const { samples } of tts.synthesize(sentence, { voice, speed: 1 }, never)) pieces.push(samples);
  }
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
