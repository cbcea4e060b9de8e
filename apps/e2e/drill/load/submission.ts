import { type Call, MULTIPART_TYPE, multipart, slowly } from './http.ts';
import type { Operation } from './operations.ts';
import { makeSamples, toWav } from './sound.ts';

/** The request of an operation. */
export function requestOf(operation: Operation, conversation: string | undefined): Call & { path: string } {
  const headers = headersOf(operation);
  switch (operation.kind) {
    case 'transcription': {
      const { id, seconds, soundSeed, sendsSlowly } = operation;
      const form = multipart(toWav(makeSamples(soundSeed, seconds)), { model: 'whisper-1', prompt: id });
      return {
        path: '/v1/audio/transcriptions',
        method: 'POST',
        headers: { ...headers, 'content-type': MULTIPART_TYPE },
        body: sendsSlowly ? slowly(form, 5, 200) : form,
        timeoutMs: timeoutOf(operation),
      };
    }
    case 'speech': {
      const { text: input, format: response_format } = operation;
      return post('/v1/audio/speech', { model: 'tts-1', voice: 'alloy', input, response_format }, operation, headers);
    }
    case 'chat': {
      const { text: content, manner } = operation;
      const body = {
        model: 'gpt-4o',
        messages: [{ role: 'user', content }],
        ...(manner === 'stream' && { stream: true }),
        ...('conversation' in operation && { conversation: conversation ?? 'new' }),
      };
      return post('/v1/chat/completions', body, operation, headers);
    }
  }
}

function post(path: string, body: object, operation: Operation, headers: Record<string, string>) {
  return {
    path,
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    timeoutMs: timeoutOf(operation),
  };
}

/** Who waits for the end waits longer. */
function timeoutOf({ manner }: Operation): number {
  return manner === 'async' ? 10_000 : 30_000;
}

function headersOf({ id, manner, hasKey, priority, finishWithinSeconds }: Operation): Record<string, string> {
  return {
    ...(manner === 'async' && { prefer: 'respond-async' }),
    ...(hasKey && { 'idempotency-key': `key-${id}` }),
    ...(priority !== undefined && { 'x-priority': priority }),
    ...(finishWithinSeconds !== undefined && { 'x-finish-by': String(finishWithinSeconds) }),
  };
}
