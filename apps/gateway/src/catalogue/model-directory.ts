import type { ModelKind } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import { type FoundModel, findModel } from './find-model.ts';

export type AnnouncedModel = Awaited<ReturnType<Database['models']['list']>>[number];

/** The models that workers have announced. */
export interface ModelDirectory {
  list(): Promise<AnnouncedModel[]>;
  /** See {@link findModel}. */
  find(kind: ModelKind, name: string): Promise<FoundModel<AnnouncedModel>>;
}

const KEPT_MS = 1_000;

/** Asks the database once a second at most, however many requests come. */
export function createModelDirectory(models: Pick<Database['models'], 'list'>): ModelDirectory {
  let kept: { answer: Promise<AnnouncedModel[]>; until: number } | undefined;
  const list = () => {
    if (kept && kept.until > Date.now()) return kept.answer;
    const answer = models.list();
    const asked = { answer, until: Date.now() + KEPT_MS };
    kept = asked;
    answer.catch(() => {
      if (kept === asked) kept = undefined;
    });
    return answer;
  };
  return { list, find: async (kind, name) => findModel(await list(), kind, name) };
}
