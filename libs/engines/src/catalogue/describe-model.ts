import type { ModelCapability, ModelInfo, ModelKind, Voice } from '@aigolos/contracts';
import { MODEL_CATALOGUE } from './catalogue.ts';

/** What callers may know of a running model; a model that the catalogue does not hold says less. */
export function describeModel(
  id: string,
  kind: ModelKind,
  {
    isDefault,
    voices = [],
    capabilities,
  }: { isDefault: boolean; voices?: readonly Voice[]; capabilities?: ModelCapability[] },
): ModelInfo {
  const known = MODEL_CATALOGUE.find((model) => model.id === id);
  const languages = known?.languages ?? [...new Set(voices.map(({ language }) => language.slice(0, 2)))];
  return {
    id,
    kind,
    isDefault,
    languages: [...languages],
    voices: [...voices],
    license: known?.license ?? 'unknown',
    ...(capabilities && { capabilities }),
  };
}
