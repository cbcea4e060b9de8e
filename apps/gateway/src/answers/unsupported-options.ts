import { ValidationError } from '@aigolos/contracts';

const NAMED = 20;
const NAME_CHARACTERS = 64;

/**
 * Looks at the options of a request that AIGolos does not have. Those in `refused` would make the answer another one
 * than the client reads, so they are refused with a reason; others are left out, and the caller is told.
 * @returns a warning that names those that were left out, if any were.
 * @throws ValidationError
 */
export function checkOptions(
  request: Record<string, unknown>,
  options: { known: Record<string, unknown>; refused: Record<string, string> },
): string[] {
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(request)) {
    if (Object.hasOwn(options.known, name) || isNeutral(value)) continue;
    const reason = Object.hasOwn(options.refused, name) ? options.refused[name] : undefined;
    if (reason !== undefined) throw new ValidationError(`${name} ${reason}`, { param: name });
    ignored.push(name.slice(0, NAME_CHARACTERS));
  }
  if (ignored.length === 0) return [];
  const more = ignored.length - NAMED;
  const names = ignored.slice(0, NAMED).join(', ');
  return [`Ignored, because not supported: ${names}${more > 0 ? ` and ${more} more` : ''}.`];
}

/** Values by which clients say that they do not want an option. */
function isNeutral(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 'false' || value === 0) return true;
  return Array.isArray(value) && value.length === 0;
}
