import { z } from 'zod';
import { MODEL_CAPABILITIES, ModelKindSchema, VoiceSchema } from '../models.ts';
import { openEnum } from './common.ts';

export const ModelViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.number().int(),
    owned_by: z.string(),
    kind: ModelKindSchema,
    is_default: z.boolean(),
    languages: z.array(z.string()),
    license: z.string(),
    capabilities: z.array(openEnum(MODEL_CAPABILITIES)),
  })
  .meta({ id: 'Model' });
export type ModelView = z.infer<typeof ModelViewSchema>;

export const ModelListSchema = z
  .object({ object: z.literal('list'), data: z.array(ModelViewSchema) })
  .meta({ id: 'ModelList' });

export const VoiceListSchema = z
  .object({ voices: z.array(VoiceSchema.extend({ model: z.string() })) })
  .meta({ id: 'VoiceList' });
