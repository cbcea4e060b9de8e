import { ValidationError } from '@aigolos/contracts';

/**
 * Looks at the options of a request that AIGolos does not have. Those in `refused` would make the answer another one
 * than the client reads, so they are refused with a reason; others are left out, and the caller is told.
 * @returns a warning for each that was left out.
 * @throws ValidationError
 */
export function checkOptions(
  request: Record<string, unknown>,
  options: { known: Record<string, unknown>; refused: Record<string, string> },
): string[] {
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(request)) {
    if (Object.hasOwn(options.known, name) || isNeutral(value)) continue;
    const reason = Object.hasOwn(options.refused, name) ? options.refused[name] : undefined;
    if (reason !== undefined) throw new ValidationError(`${name} ${reason}`, { param: name });
    warnings.push(`${name} is not supported and was ignored.`);
  }
  return warnings;
}

/** Values by which clients say that they do not want an option. */
function isNeutral(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 'false' || value === 0) return true;
  return Array.isArray(value) && value.length === 0;
}
