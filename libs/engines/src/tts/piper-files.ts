import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { TtsServiceError } from '@aigolos/contracts';

export interface PiperFiles {
  model: string;
  tokens: string;
  dataDir: string;
}

/** Metadata stands at the end of a model that was prepared, within this many bytes. */
const TAIL_BYTES = 64 * 1024;

/**
 * The files of a Piper voice, all there and prepared for sherpa-onnx: without its metadata, that would end the process.
 * @throws TtsServiceError (`TTS_ENGINE_FAILED`) that names what is missing and the remedy.
 */
export async function findPiperFiles(model: string, modelDir: string, espeakDataDir: string): Promise<PiperFiles> {
  const files = { model: join(modelDir, 'model.onnx'), tokens: join(modelDir, 'tokens.txt'), dataDir: espeakDataDir };
  await requireFile(files.model, model);
  await requireFile(files.tokens, model);
  await requireFile(join(espeakDataDir, 'phontab'), 'espeak-ng-data');
  if (!(await tailOf(files.model)).includes('sample_rate')) {
    throw new TtsServiceError(
      `${files.model} is not prepared for sherpa-onnx. Remove it and run: aigolos models pull ${model}`,
      { code: 'TTS_ENGINE_FAILED' },
    );
  }
  return files;
}

async function requireFile(path: string, model: string): Promise<void> {
  await access(path).catch((cause: unknown) => {
    throw new TtsServiceError(`${model} is not installed: ${path} is missing. Run: aigolos models pull ${model}`, {
      code: 'TTS_ENGINE_FAILED',
      cause,
    });
  });
}

async function tailOf(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const position = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(TAIL_BYTES), position });
  return buffer.toString('latin1', 0, bytesRead);
}
