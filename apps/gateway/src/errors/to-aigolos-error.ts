import { AIGolosError, type ErrorCode, LIMITS, UnavailableError, ValidationError } from '@aigolos/contracts';
import { isDatabaseUnavailable } from '@aigolos/db';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { invalidFields } from './invalid-fields.ts';

/** Errors of the web framework that are the caller's doing. */
const FRAMEWORK_ERRORS: Record<string, { code: ErrorCode; message?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'This route does not read this Content-Type; send JSON as application/json.',
  },
  FST_INVALID_MULTIPART_CONTENT_TYPE: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'This route reads multipart/form-data with the file in the field "file", or a part of one in "data".',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'ROUTE_NOT_FOUND',
    message: 'There is no such address: a part of a path has at most 100 characters.',
  },
  FST_MP_PREMATURE_CLOSE: { code: 'UPLOAD_INTERRUPTED', message: 'The upload was cut off.' },
};

/** Any error, as one that may be shown. What nobody foresaw keeps its cause for the log and says nothing outside. */
export function toAIGolosError(error: unknown, bodyLimit: number = LIMITS.jsonBodyBytes): AIGolosError {
  if (error instanceof AIGolosError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidFields(error.validation.map(toIssue));
  if (isDatabaseUnavailable(error)) {
    return new UnavailableError('The database does not answer. Try again in a moment.', { cause: error });
  }
  if (isNodeError(error) && error.code === 'ENOSPC') {
    return new UnavailableError('The server has no disk space left for this file.', { cause: error });
  }
  if (isFrameworkError(error)) {
    const known = FRAMEWORK_ERRORS[error.code];
    if (known) {
      const tooLarge = `The body is larger than the limit of ${bodyLimit} bytes.`;
      const message = known.message ?? (known.code === 'BODY_TOO_LARGE' ? tooLarge : error.message);
      return new ValidationError(message, { code: known.code, cause: error });
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return new ValidationError(error.message, { cause: error });
    }
  }
  return new AIGolosError('Something went wrong on our side. The request id finds it in the log.', {
    code: 'INTERNAL',
    cause: error,
  });
}

function toIssue(problem: { instancePath: string; message?: string; keyword: string }) {
  return { path: problem.instancePath.split('/').filter(Boolean), message: problem.message ?? 'is not valid' };
}

function isFrameworkError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && 'statusCode' in error;
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
