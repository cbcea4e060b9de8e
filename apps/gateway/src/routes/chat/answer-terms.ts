import {
  type AnswerFormat,
  type ChatTask,
  type FunctionOffer,
  type ModelInfo,
  ValidationError,
} from '@aigolos/contracts';

/** @throws ValidationError where the model cannot call functions: it would answer as if there were none. */
export function assertKnowsTools({ id, capabilities = [] }: Pick<ModelInfo, 'id' | 'capabilities'>): void {
  if (capabilities.includes('tools')) return;
  throw new ValidationError(
    `Model ${id} cannot call functions: its chat template has no tools. GET /v1/models tells which can ("capabilities").`,
    { param: 'tools' },
  );
}

/** What an answer in JSON is held to. */
export function schemaFormat({ name, schema }: { name: string; schema: object }): AnswerFormat {
  return { type: 'json_schema', name, schema: JSON.stringify(schema) };
}

/** The functions that may be called; none where the choice is none. */
export function toolFields({
  offers,
  choice,
  parallel,
}: {
  offers: FunctionOffer[];
  choice: 'none' | 'auto' | 'required' | { name: string } | null | undefined;
  parallel: boolean | null | undefined;
}): Pick<ChatTask, 'tools' | 'toolChoice' | 'parallelToolCalls'> {
  if (offers.length === 0 || choice === 'none') return {};
  return {
    tools: offers.map(({ name, description, parameters }) => ({
      name,
      ...(typeof description === 'string' && { description }),
      parameters: JSON.stringify(parameters ?? { type: 'object', properties: {}, additionalProperties: false }),
    })),
    toolChoice: typeof choice === 'object' && choice ? { name: choice.name } : (choice ?? 'auto'),
    ...(typeof parallel === 'boolean' && { parallelToolCalls: parallel }),
  };
}

/** The conversation that a request names, by its id or as an object with it. */
export function conversationName(named: string | { id: string } | null | undefined): string | undefined {
  return typeof named === 'object' ? named?.id : named;
}
