import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CatalogueModel } from './model.ts';

/** A model hub for tests: serves files with ranges, and can be told to cut connections. */
export interface FakeHub {
  url: string;
  /** One `<path> <range or "whole">` a request, in order. */
  requests: string[];
  /** Answers pause after so many bytes, once for each number, until `cut`. */
  pausesAfterBytes: number[];
  /** The origin of another server to which it sends those who ask for a file. */
  sendsTo: string | undefined;
  /** Breaks the connections whose answers pause. */
  cut(): void;
  close(): Promise<void>;
}

export async function startFakeHub(repository: string, files: Record<string, Buffer>): Promise<FakeHub> {
  const requests: string[] = [];
  const pausesAfterBytes: number[] = [];
  const paused = new Set<ServerResponse>();
  const serveFile = (path: string, request: IncomingMessage, response: ServerResponse) => {
    const content = files[path];
    if (!content) return response.writeHead(404).end();
    if (hub.sendsTo !== undefined) return response.writeHead(302, { location: hub.sendsTo + request.url }).end();
    const { range } = request.headers;
    requests.push(`${path} ${range ?? 'whole'}`);
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const rest = content.subarray(from);
    response.writeHead(range ? 206 : 200, { 'content-length': rest.length });
    const pause = pausesAfterBytes.shift();
    if (pause === undefined) return response.end(rest);
    paused.add(response);
    return response.write(rest.subarray(0, pause));
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const resolve = `/${repository}/resolve/main/`;
    if (path.startsWith(resolve)) return void serveFile(path.slice(resolve.length), request, response);
    if (path !== `/api/models/${repository}/tree/main`) return void response.writeHead(404).end();
    const listing = Object.entries(files).map(([name, content]) => {
      return { type: 'file', path: name, size: content.length, oid: 'git', lfs: { oid: sha256(content) } };
    });
    return void response.end(JSON.stringify(listing));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const hub: FakeHub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pausesAfterBytes,
    sendsTo: undefined,
    cut() {
      for (const response of paused) response.destroy();
      paused.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return hub;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A catalogue entry that these files fulfil. */
export function modelOf(files: Record<string, Buffer>, changes: Partial<CatalogueModel> = {}): CatalogueModel {
  return {
    id: 'toy',
    kind: 'llm',
    description: 'a model for tests',
    languages: [],
    voices: [],
    license: 'MIT',
    files: Object.entries(files).map(([path, content]) => {
      return { path, bytes: content.length, sha256: sha256(content) };
    }),
    sources: [{ type: 'hub', repository: 'toys/toy', revision: 'main' }],
    ...changes,
  };
}
