import { loadReplaced } from './replace-source.ts';
import { CONTROLS, REPLACEMENTS } from './replacements.ts';

/** Loaded before an app (`node --import preload.ts?control=…`), it makes a bad build of it. */
const wanted = new URL(import.meta.url).searchParams.get('control');
const control = CONTROLS.find((name) => name === wanted);
if (control === undefined) throw new Error(`control must be one of ${CONTROLS.join(', ')}, not ${wanted}`);
loadReplaced(REPLACEMENTS[control]);
