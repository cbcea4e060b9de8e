/** A length of time as people say it, in one unit: `8 s`, `12 min`, `3 h`, `5 days`. */
export function timeInWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** A time with how far off it is: `2026-11-24T01:00:00.000Z, 12 min ago`, `…, in 8 s`. */
export function momentInWords(time: Date, now = Date.now()): string {
  const ms = time.getTime() - now;
  return `${time.toISOString()}, ${ms > 0 ? `in ${timeInWords(ms)}` : `${timeInWords(ms)} ago`}`;
}
