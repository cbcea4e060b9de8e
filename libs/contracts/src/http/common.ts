import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';

const errorInOpenAIsWords = {
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
};

/** OpenAI's error body. */
export const OpenAIErrorBodySchema = z.object(errorInOpenAIsWords).meta({ id: 'OpenAIError' });
export type OpenAIErrorBody = z.infer<typeof OpenAIErrorBodySchema>;

/** RFC 9457 problem details, with our code, the request's id, and what OpenAI's clients make their exceptions of. */
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(ERROR_CODES),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
    request_id: z.string(),
    ...errorInOpenAIsWords,
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof ProblemSchema>;

/**
 * One of these names, or one that only a later version knows, as while two releases run side by side: what is there is shown,
 * not refused. Its type has the known names alone, as a record's has.
 */
export function openEnum<const Name extends string>(names: readonly Name[]): z.ZodType<Name> {
  return z.union([z.enum(names), z.string()]) as unknown as z.ZodType<Name>;
}

const BCP47 = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;
/** A language as its ISO 639 code, optionally with a region: `en`, `ru`, `pt-BR`. */
export const LanguageSchema = z.string().regex(BCP47, {
  error: (issue) => `language must be an ISO 639 code such as "en" or "ru", not ${quoted(issue.input)}`,
});

/** A number within bounds, whose message says them and what came instead. */
export function numberBetween(name: string, least: number, most: number): z.ZodNumber {
  const error = (issue: { input?: unknown }) =>
    issue.input === undefined
      ? `${name} is required`
      : `${name} must be a number from ${least} to ${most}, not ${quoted(issue.input)}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

const SURROGATE = /[\ud800-\udbff]/;

/** The length of a text in characters (Unicode code points): an emoji counts once, not as two UTF-16 units. */
export function countCharacters(text: string): number {
  // Most texts have none of the characters that take two units: this is told many times faster than they are counted.
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The id of something, or a name that stands for one. */
export const NameSchema = z.string().min(1).max(200);

const QUOTED_CHARACTERS = 60;

/** What somebody sent, short enough for a message. */
function quoted(input: unknown): string {
  const text = JSON.stringify(input) ?? 'nothing';
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
}
