import { AIGolosError, TtsServiceError, type Voice } from '@aigolos/contracts';
import { createUpstreamClient, type UpstreamOptions, upstreamFailure } from '../openai/upstream.ts';
import { speakable } from './speakable.ts';
import type { TtsEngine } from './tts-engine.ts';
import { engineStopped, requireVoice } from './tts-error.ts';
import { readWav } from './wav.ts';

export interface OpenAICompatibleTtsOptions extends UpstreamOptions {
  /** The id that this engine has here. */
  model: string;
  /** The name that the server knows it by. */
  upstreamModel: string;
  /** Their ids are the server's. */
  voices: readonly Voice[];
}

/** Asks a server that speaks OpenAI's `audio/speech` for WAV, read as it arrives. */
export async function createOpenAICompatibleTtsEngine(options: OpenAICompatibleTtsOptions): Promise<TtsEngine> {
  const client = await createUpstreamClient(options);
  const closing = new AbortController();
  return {
    model: options.model,
    voices: options.voices,
    async *synthesize(text, { voice, speed }, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        const { id } = requireVoice(options.voices, voice);
        const input = speakable(text);
        // Servers refuse a text that nothing can be heard of.
        if (input === undefined) return;
        const response = await client.audio.speech.create(
          { model: options.upstreamModel, voice: id, input, speed, response_format: 'wav' },
          { signal: either },
        );
        if (response.body !== null) yield* readWav(response.body);
        either.throwIfAborted();
      } catch (error) {
        either.throwIfAborted();
        throw await toError(error);
      }
    },
    async close() {
      closing.abort(engineStopped());
    },
  };
}

async function toError(error: unknown): Promise<AIGolosError> {
  if (error instanceof AIGolosError) return error;
  const { kind, message } = await upstreamFailure(error);
  return kind === 'failed'
    ? new TtsServiceError(message, { code: 'TTS_ENGINE_FAILED', retryable: true, cause: error })
    : new TtsServiceError(message, { code: 'TTS_ENGINE_REJECTED', cause: error });
}
