import { z } from 'zod';

const error = 'chunking_strategy must be "auto" or an object {"type": "server_vad", …}';
/** As text where the object comes field by field. */
const setting = (least: number, most: number) => z.coerce.number().min(least).max(most).optional();

/** `auto`, or an object, as JSON or field by field (`chunking_strategy[type]`), as official clients send it. */
export const ChunkingStrategySchema = z.preprocess(
  (given) => (typeof given === 'string' && given.startsWith('{') ? parsed(given) : given),
  z.union(
    [
      z.literal('auto'),
      z.looseObject({
        type: z.literal('server_vad'),
        prefix_padding_ms: setting(0, 60_000),
        silence_duration_ms: setting(0, 60_000),
        threshold: setting(0, 1),
      }),
    ],
    { error },
  ),
);

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
