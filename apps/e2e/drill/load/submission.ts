import { type BatchOperation, inputOf } from './batches.ts';
import { type Call, MULTIPART_TYPE, multipart, slowly } from './http.ts';
import type { Operation } from './operations.ts';
import { makeSamples, toWav } from './sound.ts';

/** What only the answers to earlier requests say. */
export interface Known {
  conversation?: string | undefined;
  /** Id of the file that a batch is made of. */
  inputFile?: string | undefined;
}

/** The request of an operation. */
export function requestOf(operation: Operation, { conversation, inputFile }: Known): Call & { path: string } {
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
    case 'voice-turn': {
      const { id, seconds, soundSeed, format: response_format } = operation;
      const form = multipart(toWav(makeSamples(soundSeed, seconds)), {
        instructions: `${id}: be brief`,
        response_format,
        ...('conversation' in operation && { conversation: conversation ?? 'new' }),
      });
      return {
        path: '/v1/voice/turns',
        method: 'POST',
        headers: { ...headers, 'content-type': MULTIPART_TYPE },
        body: form,
        timeoutMs: timeoutOf(operation),
      };
    }
    case 'batch': {
      const { id, endpoint } = operation;
      const body = { input_file_id: inputFile, endpoint, completion_window: '24h', metadata: { operation: id } };
      return post('/v1/batches', body, operation, headers);
    }
  }
}

/** The upload of what a batch is made of. */
export function uploadOf(batch: BatchOperation): Call & { path: string } {
  const what = { filename: `${batch.id}.jsonl`, type: 'application/jsonl' };
  return {
    path: '/v1/files',
    method: 'POST',
    headers: { 'content-type': MULTIPART_TYPE },
    body: multipart(Buffer.from(inputOf(batch)), { purpose: 'batch' }, what),
  };
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
