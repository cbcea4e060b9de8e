import { type AIGolosError, AuthError, UnavailableError, ValidationError } from '@aigolos/contracts';
import * as oidc from 'openid-client';

/** What the library finds wrong with an answer; everything else that goes wrong is the connection or the configuration. */
const BAD_ANSWERS = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
]);

export function notBegunHere(): ValidationError {
  return new ValidationError('This sign-in was not begun in this browser, or has run out.');
}

/** What an error of the library means to whoever signs in. */
export function explain(error: unknown): AIGolosError {
  if (error instanceof oidc.AuthorizationResponseError) {
    return new AuthError('The identity provider has not signed you in.', {
      code: 'ACCESS_DENIED',
      cause: summaryOf(error),
    });
  }
  const isUsed = error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
  if (isUsed || (error instanceof oidc.ClientError && BAD_ANSWERS.has(error.code ?? ''))) {
    return new ValidationError('What the identity provider answered is not valid, or has been used already.', {
      cause: summaryOf(error),
    });
  }
  return providerAway(error);
}

export function providerAway(error: unknown): UnavailableError {
  return new UnavailableError(
    'The identity provider cannot be reached, or does not answer as it should; the log says more.',
    { cause: summaryOf(error) },
  );
}

/** For the log: the library's errors hold what was sent and answered, codes and tokens among it. */
function summaryOf(error: unknown): Error {
  const parts = [error, (error as Error).cause].flatMap((each) => {
    if (!(each instanceof Error)) return [];
    const refusal = each instanceof oidc.ResponseBodyError ? each.error : [];
    return [(each as NodeJS.ErrnoException).code ?? [], each.message, refusal].flat();
  });
  return new Error([...new Set(parts)].join(': '));
}
