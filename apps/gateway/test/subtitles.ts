import { parse } from '@plussub/srt-vtt-parser';

/** A piece of subtitles as players show it; times are milliseconds. */
export interface Cue {
  from: number;
  to: number;
  text: string;
}

/** Reads SubRip or WebVTT as somebody else does. */
export function readCues(text: string): Cue[] {
  // Its types are written for bundlers, and are not found here.
  return (parse(text) as { entries: Cue[] }).entries;
}
