import { createServer } from 'node:net';
import getPort from 'get-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertPortIsFree } from './port-check.ts';

describe('assertPortIsFree', () => {
  it('is content with a free port', async () => {
    await expect(assertPortIsFree('127.0.0.1', await getPort())).resolves.toBeUndefined();
  });

  it('names a free port where this one is taken', async () => {
    const port = await getPort();
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const sentence = new RegExp(
      `^Port ${port} is taken by another program: choose another, such as PORT=\\d+ npm start$`,
    );
    await expect(assertPortIsFree('127.0.0.1', port)).rejects.toThrow(sentence);
  });

  it('says which setting is wrong where the address is not of this machine', async () => {
    await expect(assertPortIsFree('203.0.113.1', 8787)).rejects.toThrow(/203\.0\.113\.1 .*HOST=/);
  });
});
