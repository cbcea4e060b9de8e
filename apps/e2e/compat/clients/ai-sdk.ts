import { readFile } from 'node:fs/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { audioClip } from '@aigolos/testing';
import { APICallError, generateObject, generateSpeech, generateText, Output, streamText, transcribe } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Stack } from '../../test/stack.ts';

/** Vercel's AI SDK with its OpenAI provider. */
export function describeAiSdk(house: () => Stack): void {
  const provider = () => createOpenAI({ baseURL: `${house().url}/v1`, apiKey: house().apiKey });

  describe("Vercel's AI SDK", () => {
    test('transcribes, with times', async () => {
      const audio = await readFile(audioClip('count'));
      const transcript = await transcribe({ model: provider().transcription('whisper-1'), audio });
      expect(transcript.text).toMatch(/^[a-z ]+$/);
      expect(transcript.segments).not.toHaveLength(0);
      expect(transcript.durationInSeconds).toBeCloseTo(2.7, 0);
    });

    test('speaks', async () => {
      const model = provider().speech('tts-1');
      const { audio, warnings } = await generateSpeech({ model, text: 'Good morning.', voice: 'alloy', speed: 1.5 });
      expect(audio).toMatchObject({ mediaType: 'audio/mpeg', format: 'mp3' });
      expect(audio.uint8Array.length).toBeGreaterThan(1_000);
      expect(warnings).toEqual([]);
    });

    test('generates text, whole and streamed, and counts tokens', async () => {
      const request = { model: provider().chat('gpt-4o'), prompt: '[[words 30]]', maxOutputTokens: 20 };
      const whole = await generateText(request);
      expect(whole).toMatchObject({ finishReason: 'length', usage: { outputTokens: 20 } });
      const streamed = streamText(request);
      const pieces = await Array.fromAsync(streamed.textStream);
      expect(pieces.join('')).toBe(whole.text);
      expect(pieces.length).toBeGreaterThan(1);
      expect(await streamed.usage).toMatchObject({ outputTokens: 20 });
    });

    test('generates an object of a schema, whole and streamed, by chats and by responses', async () => {
      const schema = z.object({
        city: z.enum(['Riga']),
        people: z.number(),
        streets: z.array(z.object({ name: z.string(), isLong: z.boolean() })).min(1),
      });
      for (const model of [provider().chat('gpt-4o'), provider().responses('gpt-4o')]) {
        const request = { model, prompt: 'Describe a city.' };
        const { object, finishReason, warnings } = await generateObject({ ...request, schema });
        expect(schema.parse(object).city).toBe('Riga');
        expect([finishReason, warnings]).toEqual(['stop', []]);
        const streamed = streamText({ ...request, output: Output.object({ schema }) });
        const partial = await Array.fromAsync(streamed.partialOutputStream);
        expect(partial.at(-1)).toEqual(object);
        expect(await streamed.output).toEqual(object);
      }
    });

    test('raises its own error, with our message', async () => {
      const failed = generateText({ model: provider().chat('gpt-99'), prompt: 'hi', maxRetries: 0 });
      const error: unknown = await failed.catch((thrown: unknown) => thrown);
      expect(APICallError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({ statusCode: 404, message: expect.stringContaining('There is no') });
    });
  });
}
