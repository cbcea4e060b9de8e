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
