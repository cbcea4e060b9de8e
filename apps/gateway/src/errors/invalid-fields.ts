import { type ErrorIssue, ValidationError } from '@aigolos/contracts';

interface Issue {
  path: PropertyKey[];
  message: string;
}

/** One error that says every field that is wrong, where it is and what would be right. */
export function invalidFields(issues: Issue[]): ValidationError {
  const readable = issues.map(toErrorIssue);
  const [first] = readable;
  return new ValidationError(readable.map(describe).join('; '), {
    issues: readable,
    ...(first?.path && { param: first.path }),
  });
}

function toErrorIssue({ path, message }: Issue): ErrorIssue {
  // zod's words for an absent field name types and not what to do.
  const absent =
    /^Invalid input.* received undefined$/.test(message) || (path.length === 0 && message.endsWith('null'));
  return { path: path.map(String).join('.'), message: absent ? 'is required' : message };
}

/** Messages that name their field already are not given its name again. */
function describe({ path, message }: ErrorIssue): string {
  if (path === '') return message === 'is required' ? 'The request has no body' : message;
  if (message === 'is required') return `${path} is required`;
  const field = path.split('.').at(-1) ?? path;
  return path === field && message.startsWith(`${field} `) ? message : `${path}: ${message}`;
}
