import { z } from 'zod';
import { FinishReasonSchema } from '../jobs/chat.ts';
import { SpeechFormatSchema } from '../jobs/speech.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { LanguageSchema, NameSchema, numberBetween } from './common.ts';
import { bodyTerms, MetadataSchema } from './submissions.ts';

/** Form fields are texts. */
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue('must be JSON');
        return z.NEVER;
      }
    })
    .pipe(schema);

/** The form fields beside `file`. Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const VoiceTurnFieldsSchema = z.looseObject({
  conversation: z.string().min(1).optional().describe('Id of a conversation, or "new" to begin one'),
  transcription_model: NameSchema.default('whisper-1').describe('What hears'),
  model: NameSchema.default('gpt-4o').describe('What answers'),
  speech_model: NameSchema.default('tts-1').describe('What speaks'),
  voice: NameSchema.default('alloy'),
  response_format: SpeechFormatSchema.default('mp3').describe('Of the spoken answer'),
  speed: z.coerce
    .number()
    .pipe(numberBetween('speed', LIMITS.speedMin, LIMITS.speedMax))
    .default(1),
  language: LanguageSchema.optional().describe('Of what is said in the audio, where it is known'),
  prompt: z.string().max(LIMITS.promptCharacters).optional().describe('Words that may be heard in the audio'),
  instructions: z.string().max(LIMITS.chatMessageCharacters).optional().describe('How to answer, of this turn alone'),
  max_completion_tokens: z.coerce.number().int().min(1).optional().describe('The longest answer'),
  retention: RetentionWishSchema.optional().describe('As in X-Retention'),
  ...bodyTerms,
  metadata: json(MetadataSchema).optional().describe('A JSON object of up to 16 pairs, kept with the job'),
});
export type VoiceTurnFields = z.infer<typeof VoiceTurnFieldsSchema>;

/** The whole form, as it is documented; the file is streamed to the blob store and never a value here. */
export const VoiceTurnFormSchema = z
  .object({
    ...VoiceTurnFieldsSchema.shape,
    metadata: z.string().optional().describe('A JSON object of up to 16 pairs, kept with the job'),
    file: z.file().describe('What was said, in any container that ffmpeg reads'),
  })
  .meta({ id: 'VoiceTurnForm' });

/** What was heard, what was answered, and where the spoken answer is. */
export const VoiceTurnSchema = z
  .object({
    id: z.string(),
    object: z.literal('voice.turn'),
    created_at: z.number().int(),
    transcript: z.object({ text: z.string(), language: z.string(), duration: z.number(), model: z.string() }),
    answer: z.object({ text: z.string(), finish_reason: FinishReasonSchema, model: z.string() }),
    audio: z.object({
      content_type: z.string(),
      bytes: z.number().int(),
      duration: z.number().describe('Seconds'),
      model: z.string(),
      voice: z.string(),
    }),
    conversation: z.string().nullable(),
    expires_at: z.number().int().nullable(),
    urls: z.object({
      job: z.string(),
      audio: z.string().describe('The spoken answer; also to be had with "Accept: audio/*"'),
    }),
  })
  .meta({ id: 'VoiceTurn' });
export type VoiceTurn = z.infer<typeof VoiceTurnSchema>;
