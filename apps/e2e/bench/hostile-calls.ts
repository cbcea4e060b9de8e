import type { HostileFile } from '@aigolos/testing';

export interface Calls {
  transcribe(file: Pick<HostileFile, 'filename' | 'content'>): Promise<Response>;
  chat(): Promise<Response>;
}

/** What one account calls. */
export function createCalls(url: string, apiKey: string): Calls {
  const post = (path: string, body: FormData | string, headers = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${apiKey}`, ...headers } });
  return {
    transcribe({ filename, content }) {
      const form = new FormData();
      form.append('model', 'whisper-1');
      form.append('file', new Blob([new Uint8Array(content)]), filename);
      return post('/v1/audio/transcriptions', form);
    },
    chat() {
      const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Good morning.' }] };
      return post('/v1/chat/completions', JSON.stringify(request), { 'content-type': 'application/json' });
    },
  };
}

export interface Attack {
  /** Resolves when the last one is answered, with how many were. */
  stop(): Promise<number>;
}

/** Sends files, one after another, over and over. @throws, at its end, where one was answered as if it were our fault. */
export function attack({ transcribe }: Calls, files: Iterator<HostileFile>): Attack {
  let stopped = false;
  const run = async () => {
    let answered = 0;
    for (; !stopped; answered += 1) {
      const file = files.next().value as HostileFile;
      const response = await transcribe(file);
      await response.arrayBuffer();
      if (response.status >= 500) throw new Error(`${file.name} was answered with ${response.status}`);
    }
    return answered;
  };
  const running = run();
  return {
    stop() {
      stopped = true;
      return running;
    },
  };
}

/** The files, without end. */
export function* overAndOver(files: HostileFile[]): Generator<HostileFile> {
  for (;;) yield* files;
}
