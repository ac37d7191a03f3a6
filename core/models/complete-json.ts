import { z } from 'zod';
import { GatewayError } from '../contracts/gateway-error.ts';
import { parseJsonReply } from './json-reply.ts';
import type { CallOptions, Models } from './models.ts';

export interface JsonTask<T> {
  readonly schema: z.ZodType<T>;
  readonly system: string;
  readonly prompt: string;
  readonly model: string | null;
}

/** One call whose reply is JSON of a known shape; anything else is a retryable failure that says what came. */
export async function completeJson<T>(
  models: Models,
  task: JsonTask<T>,
  call: CallOptions,
): Promise<{ readonly value: T; readonly model: string }> {
  const { text, model } = await models.complete(
    {
      model: task.model,
      messages: [
        { role: 'SYSTEM', text: task.system },
        { role: 'USER', text: task.prompt },
      ],
      sources: null,
      temperature: 0,
      responseSchema: z.toJSONSchema(task.schema),
    },
    call,
  );
  const parsed = task.schema.safeParse(parseJsonReply(text));
  if (parsed.success) return { value: parsed.data, model };
  throw new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `${model} was asked for JSON and sent something else: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    { retryable: true },
  );
}
