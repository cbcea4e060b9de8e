import { InvalidArgumentError } from 'commander';

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** A length of time as an option has it: `10m`, `12h`, `7d`. */
export function milliseconds(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a whole number with s, m, h or d, such as 12h.');
  return Number(count) * (UNIT_MS[unit] ?? 1);
}
