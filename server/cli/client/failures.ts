import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { Connection } from './connection.ts';

/** GraphQL errors as the gateway sends them, over HTTP and over WebSocket. */
export const graphqlErrors = z
  .array(
    z.object({
      message: z.string(),
      extensions: z.object({ code: z.string().optional(), retryAfterMs: z.number().optional() }).optional(),
    }),
  )
  .min(1);

/** The first GraphQL error as a one-line failure that says what to do where there is something to do. */
export function refusal(errors: z.infer<typeof graphqlErrors>): CommandError {
  const [error] = errors;
  const code = error?.extensions?.code ?? null;
  const advice = code === 'UNAUTHENTICATED' ? ': set SLUICE_API_KEY, or give --api-key' : '';
  return new CommandError(`${code === null ? '' : `${code}: `}${error?.message ?? 'no message'}${advice}`, {
    code,
    retryAfterMs: error?.extensions?.retryAfterMs ?? null,
  });
}

export function unauthenticated(reason: string): CommandError {
  return new CommandError(`the gateway refused the connection (${reason}): set SLUICE_API_KEY, or give --api-key`, {
    code: 'UNAUTHENTICATED',
  });
}

export const unreachableCode = 'UNREACHABLE';

export function unreachable(connection: Connection, cause: unknown): CommandError {
  return new CommandError(
    `cannot reach the gateway at ${connection.url} (${causeOf(cause)}): start it with \`sluice start\`, or set SLUICE_URL`,
    { code: unreachableCode, cause },
  );
}

function causeOf(error: unknown): string {
  // fetch says only "fetch failed"; what happened is in its cause.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
