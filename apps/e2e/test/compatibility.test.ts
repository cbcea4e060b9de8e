import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeAiSdk } from '../compat/clients/ai-sdk.ts';
import { describeLangChain } from '../compat/clients/langchain.ts';
import { describePython } from '../compat/clients/python.ts';
import type { Prepared } from '../compat/error-cases.ts';
import { describeErrors, prepareErrors } from '../compat/errors.ts';
import { fuzzApi } from '../compat/fuzz.ts';
import { describeRoutes } from '../compat/routes.ts';
import { type Stack, startStack } from './stack.ts';

/** Any OpenAI client works against a running system unchanged. */
let stack: Stack;
let prepared: Prepared;
beforeAll(async () => {
  stack = await startStack({ engines: 'test', env: { CONCURRENCY: '8' } });
  prepared = await prepareErrors(stack);
});
afterAll(() => stack?.stop());

describeErrors(() => ({ stack, prepared }));
describeRoutes(() => stack);
describePython(() => ({ stack, prepared }));
describeAiSdk(() => stack);
describeLangChain(() => stack);

/** The last, as it leaves nothing of the account. */
test('requests that a fuzzer makes from the API description are answered as it says', async () => {
  expect(await fuzzApi(stack, { examples: 3, seconds: 25 })).toBeUndefined();
});
