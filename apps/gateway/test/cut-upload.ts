import { request } from 'node:http';
import { waitUntil } from '@aigolos/testing';
import type { House } from './harness.ts';

const ANNOUNCED_BYTES = 50_000;
const SENT_BYTES = 20_000;

/** Sends less than half of a form with a file in this field, and cuts it off once that has arrived; resolves when nothing of it is received any more. */
export async function cutUpload(house: House, path: string, field: string): Promise<void> {
  const received = async () => (await house.files()).spool.length;
  const before = await received();
  const sending = request(`${house.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${house.keys.user}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': ANNOUNCED_BYTES,
    },
  });
  sending.on('error', () => {});
  sending.write(`--b\r\nContent-Disposition: form-data; name="${field}"; filename="f"\r\n\r\n`);
  sending.write('x'.repeat(SENT_BYTES));
  await waitUntil('the file arrives', async () => (await received()) > before);
  sending.destroy();
  await waitUntil('nothing of it is left', async () => (await received()) === before);
}
