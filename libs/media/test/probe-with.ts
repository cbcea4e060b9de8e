import { createMedia } from '../src/media.ts';
import { SPEECH } from './clips.ts';

/** A process that has a file looked at by the tool that it is told: to be killed in the middle of it. */
await createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: process.argv[2] ?? '' }).probe(SPEECH);
