import { MODEL_ALIASES, type ModelInfo, type ModelKind, NotFoundError, UnavailableError } from '@aigolos/contracts';

export interface FoundModel<Model extends ModelInfo = ModelInfo> {
  model: Model;
  /** Was it found by a name that stands for "the default one"? */
  byAlias: boolean;
}

const WORK: Record<ModelKind, string> = { asr: 'transcription', llm: 'chat', tts: 'speech' };

/**
 * The model that a request names: by its id, or by a name that code written for OpenAI sends already.
 * @throws NotFoundError that lists those there are; UnavailableError where no worker has ever announced one of this kind.
 */
export function findModel<Model extends ModelInfo>(models: Model[], kind: ModelKind, name: string): FoundModel<Model> {
  const able = models.filter((model) => model.kind === kind);
  const [first] = able;
  if (!first) {
    throw new UnavailableError(
      `No model for ${WORK[kind]} is there yet: worker-${kind} has not been started on this installation.`,
      { param: 'model' },
    );
  }
  const named = able.find(({ id }) => id === name);
  if (named) return { model: named, byAlias: false };
  if (MODEL_ALIASES[name] === kind) return { model: able.find(({ isDefault }) => isDefault) ?? first, byAlias: true };

  const other = models.find(({ id }) => id === name)?.kind ?? MODEL_ALIASES[name];
  const finding = other ? `Model "${name}" is for ${WORK[other]}.` : `There is no model "${name}".`;
  throw new NotFoundError(`${finding} Models for ${WORK[kind]} here: ${able.map(({ id }) => id).join(', ')}.`, {
    code: 'MODEL_NOT_FOUND',
    param: 'model',
  });
}
