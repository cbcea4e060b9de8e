const MAX_CHARACTERS = 2_000;

/** Warnings as one header: visible ASCII only, so that nothing a caller sent can end the header or begin another. */
export function warningsHeader(warnings: string[]): string | undefined {
  const text = warnings.join(' | ').replaceAll(/[^ -~]+/g, '?');
  return text === '' ? undefined : text.slice(0, MAX_CHARACTERS);
}
