import { OpenAIErrorBodySchema, ProblemSchema } from '@aigolos/contracts';

/** What routes that behave as OpenAI's answer when something is wrong. */
export const openAIErrors = {
  '4xx': OpenAIErrorBodySchema,
  '5xx': OpenAIErrorBodySchema,
};

const problem = {
  description: 'RFC 9457 problem details',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};

/** What our own routes answer when something is wrong. */
export const problems = { '4xx': problem, '5xx': problem };
