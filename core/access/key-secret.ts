import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NewSecret {
  /** `sk-sluice-<prefix>-<random>`; shown once. */
  readonly secret: string;
  readonly prefix: string;
  readonly hash: string;
}

const shape = /^sk-sluice-([0-9a-f]{12})-[\w-]{43}$/;

/** 256 random bits behind a prefix that is no secret. */
export function newSecret(): NewSecret {
  const prefix = randomBytes(6).toString('hex');
  const secret = `sk-sluice-${prefix}-${randomBytes(32).toString('base64url')}`;
  return { secret, prefix, hash: digest(secret).toString('base64url') };
}

/**
 * What a token is looked up by. One that no gateway gave out has a prefix too, of its own digest: it is looked up like any
 * other, so that its refusal takes as long.
 */
export function prefixOf(token: string): string {
  return shape.exec(token)?.[1] ?? digest(token).toString('hex', 0, 6);
}

/**
 * Whether the token is the secret of this hash; null, of no key, takes as long.
 *
 * A fast hash is enough: slow ones protect passwords that people choose, and nobody tries out 256 random bits.
 */
export function isSecretOf(token: string, hash: string | null): boolean {
  const expected = hash === null ? nobody : Buffer.from(hash, 'base64url');
  // Digests have one length, so the comparison takes the same time whatever was sent.
  return timingSafeEqual(digest(token), expected.length === nobody.length ? expected : nobody) && hash !== null;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const nobody = randomBytes(32);
