/** One thing that was looked at. */
export interface Finding {
  name: string;
  /** `warning`: it works without. */
  state: 'ok' | 'warning' | 'bad';
  detail: string;
  /** What to do about it. */
  remedy?: string;
}
