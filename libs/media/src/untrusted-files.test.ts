import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeAll, media, SPEECH, withFolder, writeClip } from '../test/clips.ts';

/** A server inside the network that a sender must not reach through us, and a local file that he must not read. */
let server: Server;
let url: string;
let requests: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});
beforeEach(() => {
  requests = [];
});

const disguises: Record<string, () => string> = {
  'an HLS playlist of a server': () =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${url}/secret.ts\n#EXT-X-ENDLIST\n`,
  'an HLS playlist of a local file': () =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${SPEECH}\n#EXT-X-ENDLIST\n`,
  'a concat script of a local file': () => `ffconcat version 1.0\nfile '${SPEECH}'\n`,
  'a DASH manifest of a server': () =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period>` +
    `<AdaptationSet contentType="audio"><Representation id="1" bandwidth="1"><BaseURL>${url}/secret.m4a</BaseURL>` +
    '</Representation></AdaptationSet></Period></MPD>',
  'an SDP description of a stream': () =>
    'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n',
};
const extensions = ['m3u8', 'ffconcat', 'mpd', 'sdp', 'wav', 'mp3'];

describe.each(Object.keys(disguises))('%s', (name) => {
  test('is refused, whatever it is called, and nothing that it names is opened', async () => {
    await withFolder(async (folder) => {
      for (const extension of extensions) {
        const path = await writeClip(folder, `speech.${extension}`, disguises[name]?.() ?? '');
        await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED' });
        await expect(decodeAll(path)).rejects.toMatchObject({ code: 'AUDIO_EMPTY' });
      }
      expect(requests).toEqual([]);
    });
  });
});

test('an ffprobe that is not locked down would have asked the server, so the tests above can fail', async () => {
  await withFolder(async (folder) => {
    const playlist = disguises['an HLS playlist of a server']?.() ?? '';
    const path = await writeClip(folder, 'speech.m3u8', playlist);
    await execa('ffprobe', ['-protocol_whitelist', 'file,http,tcp', path], { reject: false });
    expect(requests).toContain('/secret.ts');
  });
});

test('a file whose name looks like a protocol or an option is only a file', async () => {
  await withFolder(async (folder) => {
    for (const name of ['http:', 'concat:a|b', '-i', 'speech%03d.wav']) {
      const path = await writeClip(folder, name, 'text');
      await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED' });
    }
    await expect(media.probe(`${url}/speech.wav`)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(decodeAll(join('concat:', SPEECH))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(requests).toEqual([]);
  });
});
