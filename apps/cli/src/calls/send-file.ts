import type { FileParams } from '@aigolos/sdk';
import { progressBar } from '../transfer/progress-bar.ts';
import { openFile } from './read-input.ts';
import type { CallOptions } from './session.ts';

/** Submits a job with a file, and tells meanwhile how much of it is sent. @throws CliError where it cannot be read. */
export async function sendFile<Handle>(
  path: string,
  options: CallOptions,
  submit: (file: FileParams) => Promise<Handle>,
): Promise<Handle> {
  const opened = await openFile(path);
  const bar = progressBar(path, options);
  try {
    return await submit({
      ...opened,
      onProgress: ({ sentBytes, totalBytes }) => bar.update(sentBytes, totalBytes ?? sentBytes),
    });
  } finally {
    bar.stop();
  }
}
