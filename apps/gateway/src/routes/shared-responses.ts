import { JobViewSchema, OpenAIErrorBodySchema, ProblemSchema } from '@aigolos/contracts';
import { z } from 'zod';
import { LAST_DATA } from '../plugins/described-events.ts';

/** Of a submission whose client does not wait for its end. */
export const acceptedJob = {
  description: 'The job that was begun, as `Prefer` asks for it',
  content: { 'application/json': { schema: JobViewSchema } },
};

/** What is said when. */
export const subtitleContent = {
  'application/x-subrip': { schema: z.string() },
  'text/vtt': { schema: z.string() },
};

/** Of a stream of events, whose last one says why it was broken off where it was; a whole one may end with a text that is no JSON. */
export function eventsOf<Event extends z.ZodType>(event: Event, { lastData }: { lastData?: string } = {}) {
  const data = z.union([event, OpenAIErrorBodySchema]);
  return { schema: lastData === undefined ? data : data.meta({ [LAST_DATA]: lastData }) };
}

const openAIError = {
  description: "What was wrong, in OpenAI's shape",
  content: { 'application/json': { schema: OpenAIErrorBodySchema } },
};
/** What routes that behave as OpenAI's answer when something is wrong. */
export const openAIErrors = { '4xx': openAIError, '5xx': openAIError };

const problem = {
  description: 'What was wrong, as RFC 9457 problem details',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};
/** What our own routes answer when something is wrong. */
export const problems = { '4xx': problem, '5xx': problem };
