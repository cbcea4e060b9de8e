import { hkdfSync } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { z } from 'zod';
import type { SignInSettings } from './sign-in-config.ts';

/** Something that a browser keeps for us, and can neither read nor change. */
export interface SealedCookie<Content> {
  /** `undefined` where there is none, or it is not ours, of another provider, or its time is over. */
  read(request: FastifyRequest): Promise<Content | undefined>;
  write(reply: FastifyReply, content: Content): Promise<void>;
  clear(reply: FastifyReply): void;
}

export interface SealedCookieOptions<Schema extends z.ZodType> {
  /** Its name tells what it is for: one cannot be used for another. */
  name: string;
  seconds: number;
  schema: Schema;
}

type Settings = Pick<SignInSettings, 'sessionSecret' | 'publicUrl' | 'issuer'>;

const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const;

/**
 * Sent with requests that begin on our own pages, and with links to them from elsewhere, but not with what other sites embed, fetch or
 * post. Behind https its name has `__Host-` before it, so that no other host of the domain can set it.
 */
export function createSealedCookie<Schema extends z.ZodType<Record<string, unknown>>>(
  { name, seconds, schema }: SealedCookieOptions<Schema>,
  { sessionSecret, publicUrl, issuer }: Settings,
): SealedCookie<z.infer<Schema>> {
  const key = new Uint8Array(hkdfSync('sha256', sessionSecret, '', `aigolos cookie ${name}`, 32));
  const secure = publicUrl.protocol === 'https:';
  const fullName = secure ? `__Host-${name}` : name;
  const attributes = { name: fullName, httpOnly: true, sameSite: 'lax', secure, path: '/' } as const;

  return {
    async read(request) {
      const value = parseCookie(request.headers.cookie ?? '')[fullName];
      if (value === undefined) return undefined;
      const opened = await jwtDecrypt(value, key, {
        issuer: issuer.href,
        audience: name,
        requiredClaims: ['exp'],
        keyManagementAlgorithms: [ENCRYPTION.alg],
        contentEncryptionAlgorithms: [ENCRYPTION.enc],
      }).catch((error: unknown) => {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      });
      return opened && schema.safeParse(opened.payload).data;
    },
    async write(reply, content) {
      const value = await new EncryptJWT(content)
        .setProtectedHeader(ENCRYPTION)
        .setIssuer(issuer.href)
        .setAudience(name)
        .setExpirationTime(`${seconds}s`)
        .encrypt(key);
      reply.header('set-cookie', stringifySetCookie({ ...attributes, value, maxAge: seconds }));
    },
    clear(reply) {
      reply.header('set-cookie', stringifySetCookie({ ...attributes, value: '', maxAge: 0 }));
    },
  };
}
