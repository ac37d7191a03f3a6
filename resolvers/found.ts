import { GatewayError } from '../core/contracts/gateway-error.ts';

/** Null in place of NOT_FOUND: for fields that say "null once it is gone". */
export async function orNull<T>(loaded: Promise<T>): Promise<T | null> {
  try {
    return await loaded;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
