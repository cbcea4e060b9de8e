/** `1 file`, `2 files`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

export function sum(counts: object): number {
  return Object.values(counts).reduce((total: number, count) => total + Number(count), 0);
}
