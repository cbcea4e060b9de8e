import type { Fingerprint } from '../file-hash.ts';
import type { CatalogueModel } from '../model.ts';

/** What a source gets to fetch a model's files with. */
export interface FetchContext {
  model: CatalogueModel;
  /** Takes the published files under their catalogue paths. What lies there already is complete. */
  targetDir: string;
  /** For anything half done; kept between calls. */
  scratchDir: string;
  /** Size and hash of each file as far as they are known; a source adds what it learns. */
  expected: Map<string, Partial<Fingerprint>>;
  hubUrl: string;
  /** Does a proxy that the environment names make the connections? */
  viaProxy: boolean;
  pythonPath: string;
  onProgress: (bytesDone: number, bytesTotal: number) => void;
  signal: AbortSignal;
}
