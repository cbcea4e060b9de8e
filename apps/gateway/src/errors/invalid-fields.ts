import { type ErrorIssue, ValidationError } from '@aigolos/contracts';

interface Issue {
  path: PropertyKey[];
  message: string;
}

/** Of a body in which everything is wrong, more would only be longer than it. */
const TOLD = 20;
/** A field may have been given a name of any length. */
const PATH_CHARACTERS = 200;

/** One error that says every field that is wrong, where it is and what would be right; of very many, the first ones. */
export function invalidFields(issues: Issue[]): ValidationError {
  const readable = issues.slice(0, TOLD).map(toErrorIssue);
  const [first] = readable;
  const more = issues.length > TOLD ? `; and ${issues.length - TOLD} more` : '';
  return new ValidationError(readable.map(describe).join('; ') + more, {
    issues: readable,
    ...(first?.path && { param: first.path }),
  });
}

function toErrorIssue({ path, message }: Issue): ErrorIssue {
  // zod's words for an absent field name types and not what to do.
  const absent =
    /^Invalid input.* received undefined$/.test(message) || (path.length === 0 && message.endsWith('null'));
  return { path: path.map(String).join('.').slice(0, PATH_CHARACTERS), message: absent ? 'is required' : message };
}

/** Messages that name their field already are not given its name again. */
function describe({ path, message }: ErrorIssue): string {
  if (path === '') return message === 'is required' ? 'The request has no body' : message;
  if (message === 'is required') return `${path} is required`;
  const field = path.split('.').at(-1) ?? path;
  return path === field && message.startsWith(`${field} `) ? message : `${path}: ${message}`;
}
