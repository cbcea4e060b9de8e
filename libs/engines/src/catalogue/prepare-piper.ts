import { appendFile, chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What of a Piper voice's `.onnx.json` is needed to run it. */
const PiperVoiceSchema = z.object({
  audio: z.object({ sample_rate: z.number().int().positive() }),
  espeak: z.object({ voice: z.string().min(1) }),
  language: z.object({ name_english: z.string().min(1) }).optional(),
  num_speakers: z.number().int().positive(),
  phoneme_id_map: z.record(z.string(), z.array(z.number().int()).min(1)),
});
type PiperVoice = z.infer<typeof PiperVoiceSchema>;

/**
 * Makes a folder that sherpa-onnx can load out of a Piper voice as it is published: `model.onnx` (a copy with the
 * metadata that sherpa-onnx asks for appended), `tokens.txt` and `model.onnx.json`. The sources stay as they are.
 * The caller renames `targetDir` into place: a call that fails leaves an incomplete folder.
 * @throws ZodError or SyntaxError where the json is not a Piper voice's; an error of the file system.
 */
export async function preparePiperVoice(
  sourceOnnxPath: string,
  sourceJsonPath: string,
  targetDir: string,
): Promise<void> {
  const json = await readFile(sourceJsonPath, 'utf8');
  const voice = PiperVoiceSchema.parse(JSON.parse(json));
  await mkdir(targetDir, { recursive: true });
  const modelPath = join(targetDir, 'model.onnx');
  await copyFile(sourceOnnxPath, modelPath);
  // A copy has its source's mode, and sources may be read-only.
  await chmod(modelPath, 0o644);
  await appendFile(modelPath, onnxMetadata(metadataOf(voice)));
  await writeFile(join(targetDir, 'tokens.txt'), tokensOf(voice));
  await writeFile(join(targetDir, 'model.onnx.json'), json);
}

/** The names are sherpa-onnx's (offline-tts-vits-model.cc). */
function metadataOf(voice: PiperVoice): Record<string, string> {
  return {
    model_type: 'vits',
    comment: 'piper',
    language: voice.language?.name_english ?? voice.espeak.voice,
    voice: voice.espeak.voice,
    has_espeak: '1',
    n_speakers: String(voice.num_speakers),
    sample_rate: String(voice.audio.sample_rate),
    add_blank: '1',
  };
}

/** One `symbol id` line each; a symbol with several ids is spoken by its first, as sherpa-onnx's own converter has it. */
function tokensOf(voice: PiperVoice): string {
  return Object.entries(voice.phoneme_id_map)
    .map(([symbol, ids]) => `${symbol} ${ids[0]}\n`)
    .join('');
}

/**
 * Entries of `ModelProto.metadata_props` (field 14: { 1: key, 2: value }) in protobuf's wire format. A repeated field
 * may stand anywhere in a message, so these bytes are valid at the end of any ONNX file.
 */
function onnxMetadata(entries: Record<string, string>): Uint8Array {
  return Buffer.concat(
    Object.entries(entries).map(([key, value]) => field(14, Buffer.concat([field(1, key), field(2, value)]))),
  );
}

/** A length-delimited protobuf field: tag (`number << 3 | 2`), length, bytes. */
function field(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
