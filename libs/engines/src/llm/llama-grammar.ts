import { type AnswerFormat, type ChatTool, LlmServiceError, type ToolChoice } from '@aigolos/contracts';
import type { GbnfJsonSchema, LlamaGrammarEvaluationState, LlamaModel } from 'node-llama-cpp';
import { ANY_OBJECT, type HeldRoot, type HeldSchema, readSchema } from './held-schema.ts';

/** The library's grammars write this after a whole value; it is no part of the answer. */
export const GRAMMAR_END = '\n\n\n\n';

/** A new state of the grammar that holds an answer to a format. @throws LlmServiceError (`LLM_ENGINE_REJECTED`) */
export function formatGrammar(model: LlamaModel, format: AnswerFormat): Promise<LlamaGrammarEvaluationState> {
  const held: HeldRoot =
    format.type === 'json_object'
      ? ANY_OBJECT
      : readSchema(format.schema, { name: `response_format "${format.name}"`, param: 'response_format' });
  return grammarOf(model, held, 'response_format');
}

/** A new state of the grammar that holds what follows a call's beginning to `{"name": …, "arguments": …}` of one of the tools. */
export function callGrammar(
  model: LlamaModel,
  tools: readonly ChatTool[],
  choice: ToolChoice = 'auto',
): Promise<LlamaGrammarEvaluationState> {
  const chosen = typeof choice === 'string' ? tools : tools.filter(({ name }) => name === choice.name);
  const defs: Record<string, HeldSchema> = {};
  const calls = chosen.map(({ name, parameters }, index): HeldSchema => {
    const { $defs = {}, ...root } = readSchema(parameters, { name: `tool "${name}"`, param: 'tools' });
    // Two tools may have definitions of the same name.
    const renamed = (part: HeldSchema) => renameReferences(part, `tool${index}-`);
    for (const [key, def] of Object.entries($defs)) defs[`tool${index}-${key}`] = renamed(def);
    const properties = { name: { enum: [name] }, arguments: renamed(root) };
    return { type: 'object', properties, additionalProperties: false };
  });
  return grammarOf(model, { oneOf: calls, $defs: defs }, 'tools');
}

async function grammarOf(model: LlamaModel, held: HeldRoot, param: string): Promise<LlamaGrammarEvaluationState> {
  const { LlamaGrammarEvaluationState } = await import('node-llama-cpp');
  try {
    // What the library's type of a schema says is what a `HeldSchema` is, but for the names of definitions.
    const grammar = await model.llama.createGrammarForJsonSchema<GbnfJsonSchema>(held as GbnfJsonSchema);
    return new LlamaGrammarEvaluationState({ model, grammar });
  } catch (cause) {
    throw new LlmServiceError('The JSON schema cannot be held to: it is too large, or its references have no end.', {
      code: 'LLM_ENGINE_REJECTED',
      param,
      cause,
    });
  }
}

function renameReferences(schema: HeldSchema, prefix: string): HeldSchema {
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]: [string, unknown]) =>
        key === '$ref' && typeof part === 'string'
          ? [key, part.replace('#/$defs/', `#/$defs/${prefix}`)]
          : [key, rename(part)],
      ),
    );
  };
  return rename(schema) as HeldSchema;
}
