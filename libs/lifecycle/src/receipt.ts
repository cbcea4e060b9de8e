import { createHash } from 'node:crypto';
import {
  type ErasureReceipt,
  ErasureReceiptSchema,
  type ErasureScope,
  type Jwks,
  JwksSchema,
  RECEIPT_IDS,
  ValidationError,
} from '@aigolos/contracts';
import type { Database, ErasureItem } from '@aigolos/db';
import {
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
} from 'jose';

type Erasures = Pick<Database, 'erasures'>;
type Removed = ErasureReceipt['removed'];

const TYPE = 'erasure-receipt+jwt';

/** The public key by which receipts of this installation are verified; made where there is none yet. */
export async function receiptKeys(db: Erasures): Promise<Jwks> {
  const { publicKey } = await db.erasures.signingKey(makeKey);
  return JwksSchema.parse({ keys: [publicKey] });
}

/** Signs what was removed: a compact JWS (EdDSA over Ed25519, RFC 8037). It names ids only, never content. */
export async function signReceipt(
  db: Erasures,
  erasure: { id: string; account: string; scope: ErasureScope; requestedAt: Date },
  removed: Removed,
): Promise<string> {
  const { kid, privateKey } = await db.erasures.signingKey(makeKey);
  const now = new Date();
  const receipt: ErasureReceipt = {
    jti: erasure.id,
    sub: erasure.account,
    iat: Math.floor(now.getTime() / 1_000),
    scope: erasure.scope,
    requested_at: erasure.requestedAt.toISOString(),
    finished_at: now.toISOString(),
    removed,
  };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(receipt)))
    .setProtectedHeader({ alg: 'EdDSA', typ: TYPE, kid })
    .sign(await importJWK(privateKey, 'EdDSA'));
}

/**
 * What a receipt says, if one of these keys signed it.
 * @throws ValidationError where it is no receipt, was changed, or was signed by somebody else.
 */
export async function verifyReceipt(receipt: string, keys: Jwks): Promise<ErasureReceipt> {
  try {
    const { payload } = await compactVerify(receipt.trim(), createLocalJWKSet(keys), { algorithms: ['EdDSA'] });
    return ErasureReceiptSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
  } catch (cause) {
    throw new ValidationError('This is no receipt of this installation, or it was changed.', { cause });
  }
}

/** Counts, digests and first ids of what an erasure noted, which comes by kind and then by id. */
export async function summarize(items: AsyncIterable<ErasureItem>): Promise<Removed> {
  const removed: Removed = {};
  let hash = createHash('sha256');
  let open: Removed[string] | undefined;
  const close = () => {
    if (open) open.sha256 = hash.digest('hex');
    hash = createHash('sha256');
  };
  for await (const { kind, item } of items) {
    if (!removed[kind]) {
      close();
      open = { count: 0, sha256: '', ids: [] };
      removed[kind] = open;
    }
    const entry = removed[kind];
    entry.count += 1;
    hash.update(`${item}\n`);
    if (entry.ids.length < RECEIPT_IDS) entry.ids.push(item);
  }
  close();
  return removed;
}

async function makeKey() {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const [privateKey, publicKey] = await Promise.all([exportJWK(pair.privateKey), exportJWK(pair.publicKey)]);
  const kid = await calculateJwkThumbprint(publicKey);
  const named = { ...publicKey, kid, alg: 'EdDSA', use: 'sig' };
  return { kid, privateKey: { ...privateKey }, publicKey: named, createdAt: new Date() };
}
