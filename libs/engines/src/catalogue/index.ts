export { catalogueModel, defaultModel, MODEL_CATALOGUE } from './catalogue.ts';
export { describeModel } from './describe-model.ts';
export { megabytes } from './disk-space.ts';
export {
  type InstalledModel,
  installedModel,
  type ListedModel,
  listModels,
  removeModel,
  verifyModel,
} from './installed.ts';
export { type CatalogueKind, type CatalogueModel, publishedBytes } from './model.ts';
export { importModel, type PullOptions, pullModel } from './pull-model.ts';
