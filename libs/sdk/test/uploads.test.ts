import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConnectionError, type UploadProgress } from '../src/index.ts';
import { job, json, serve } from './service.ts';

const MB = 1024 ** 2;
const content = Buffer.alloc(5 * MB, 'not quite the same everywhere.');
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

afterEach(() => vi.unstubAllGlobals());

/** What a form that was sent says. */
async function formOf(request: IncomingMessage): Promise<FormData> {
  const headers = { 'content-type': String(request.headers['content-type']) };
  return new Response(await buffer(request), { headers }).formData();
}

const sizeOf = (form: FormData | undefined) => {
  const file = form?.get('file');
  return file instanceof File ? file.size : undefined;
};

/** Keeps the forms that arrive whole. */
function receiving(forms: FormData[]): Parameters<typeof serve>[0] {
  return async (request, response) => {
    forms.push(await formOf(request));
    await json(202, job())(request, response);
  };
}

/** The line breaks when some of the file has arrived. */
const cutInTheMiddle: Parameters<typeof serve>[0] = (request) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MB) request.socket.destroy();
  });
  request.on('error', () => {});
};

describe('an upload', () => {
  test('arrives as it is, with its fields, and tells how far it is, byte by byte', async () => {
    const forms: FormData[] = [];
    const told: UploadProgress[] = [];
    await using service = await serve(receiving(forms));
    await service.client.transcriptions.submit({
      file: new File([content], 'a "quoted"\r\nname.wav'),
      model: 'whisper-1',
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
      temperature: 0.5,
      onProgress: (progress) => told.push(progress),
    });
    const [form] = forms;
    const file = form?.get('file') as File;
    expect(sha256(Buffer.from(await file.arrayBuffer()))).toBe(sha256(content));
    expect(file.name).toBe('a "quoted"\r\nname.wav');
    expect([...(form?.entries() ?? [])].filter(([name]) => name !== 'file')).toEqual([
      ['model', 'whisper-1'],
      ['response_format', 'verbose_json'],
      ['timestamp_granularities[]', 'word'],
      ['timestamp_granularities[]', 'segment'],
      ['temperature', '0.5'],
    ]);
    const sent = told.map(({ sentBytes }) => sentBytes);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    expect(sent.length).toBeGreaterThan(10);
    expect(told[0]).toEqual({ sentBytes: 0, totalBytes: content.length });
    expect(told.at(-1)).toEqual({ sentBytes: content.length, totalBytes: content.length });
  });

  test('that was cut off in the middle is sent again, whole, and its progress begins anew', async () => {
    const forms: FormData[] = [];
    const told: number[] = [];
    await using service = await serve(cutInTheMiddle, receiving(forms));
    const onProgress = ({ sentBytes }: UploadProgress) => void told.push(sentBytes);
    await service.client.transcriptions.submit({ file: new Blob([content]), model: 'whisper-1', onProgress });
    expect(forms).toHaveLength(1);
    expect(sizeOf(forms[0])).toBe(content.length);
    expect(told.filter((bytes) => bytes === 0)).toHaveLength(2);
    expect(told.at(-1)).toBe(content.length);
  });

  test('of a stream arrives as it is; cut off, it is not sent again, as nothing is left of it', async () => {
    const forms: FormData[] = [];
    await using service = await serve(receiving(forms), cutInTheMiddle);
    const submit = () =>
      service.client.transcriptions.submit({ file: new Blob([content]).stream(), model: 'whisper-1' });
    await submit();
    expect(sizeOf(forms[0])).toBe(content.length);
    await expect(submit()).rejects.toThrow(ConnectionError);
    expect(service.asked).toHaveLength(2);
  });

  test('of what cannot be read says so, and is not tried again', async () => {
    const unreadable = new Error('the disk is gone');
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(unreadable),
    });
    await using service = await serve(cutInTheMiddle, cutInTheMiddle);
    await expect(service.client.transcriptions.submit({ file: source, model: 'whisper-1' })).rejects.toBe(unreadable);
    expect(service.asked.length).toBeLessThanOrEqual(1);
  });

  test('ends with its signal, and its file is read no further', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(MB)),
      cancel: () => {
        cancelled = true;
      },
    });
    const stop = new AbortController();
    const reason = new Error('enough');
    await using service = await serve((request) => {
      request.on('error', () => {}).resume();
      request.once('data', () => stop.abort(reason));
    });
    const upload = service.client.transcriptions.submit({ file: endless, model: 'whisper-1' }, { signal: stop.signal });
    await expect(upload).rejects.toBe(reason);
    await vi.waitFor(() => expect(cancelled).toBe(true));
  });

  test('that is stopped on the way tells of no more progress, and is not sent again', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const told: UploadProgress[] = [];
    const closed = Promise.withResolvers<void>();
    await using service = await serve((request) => {
      request.on('error', () => {}).resume();
      request.socket.once('close', () => closed.resolve());
    });
    const onProgress = (progress: UploadProgress) => {
      told.push(progress);
      if (progress.sentBytes > MB) stop.abort(reason);
    };
    const upload = service.client.transcriptions.submit(
      { file: new Blob([content]), model: 'whisper-1', onProgress },
      { signal: stop.signal },
    );
    await expect(upload).rejects.toBe(reason);
    const toldThen = told.length;
    await closed.promise;
    expect(told).toHaveLength(toldThen);
    expect(told.at(-1)?.sentBytes).toBeLessThan(content.length / 2);
    expect(service.asked).toHaveLength(1);
  });

  test('of a voice turn is a form with its fields; its handle has what was heard and answered, and the sound', async () => {
    const forms: FormData[] = [];
    const accepted: unknown[] = [];
    const ended = json(200, job({ id: 'vtn_1', status: 'completed' }));
    const turn = json(200, { transcript: { text: 'How are you?' }, answer: { text: 'Fine.' } });
    await using service = await serve(
      async (request, response) => {
        forms.push(await formOf(request));
        await json(202, job({ id: 'vtn_1' }))(request, response);
      },
      ended,
      turn,
      ended,
      (request, response) => {
        accepted.push(request.headers.accept);
        response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
      },
    );
    const handle = await service.client.voiceTurns.submit({
      file: new Blob([content]),
      conversation: 'new',
      voice: 'alloy',
      speed: 1.5,
    });
    expect([...(forms[0]?.entries() ?? [])].filter(([name]) => name !== 'file')).toEqual([
      ['conversation', 'new'],
      ['voice', 'alloy'],
      ['speed', '1.5'],
    ]);
    expect(sizeOf(forms[0])).toBe(content.length);
    const { transcript, answer } = await handle.result();
    expect([transcript.text, answer.text]).toEqual(['How are you?', 'Fine.']);
    expect(await (await handle.result({ as: 'audio' })).text()).toBe('sound');
    expect(accepted).toEqual(['audio/*']);
    expect(service.asked[0]).toBe('POST /v1/voice/turns');
  });

  test('from a page, which cannot stream, is a Blob, whose end is told when it has arrived', async () => {
    vi.stubGlobal('document', {});
    const forms: FormData[] = [];
    const told: number[] = [];
    await using service = await serve(receiving(forms), receiving(forms));
    const onProgress = ({ sentBytes }: UploadProgress) => void told.push(sentBytes);
    const { transcriptions } = service.client;
    await transcriptions.submit({ file: new Blob([content]), model: 'whisper-1', onProgress });
    await transcriptions.submit({ file: new Blob([content]).stream(), model: 'whisper-1' });
    expect(forms.map(sizeOf)).toEqual([content.length, content.length]);
    expect(told).toEqual([0, content.length]);
  });
});
