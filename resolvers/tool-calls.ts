import type { Context } from '../context.ts';
import type { RunRecord } from '../core/contracts/run-store.ts';
import { resolveApproval as resolve, submitToolResult as submit } from '../core/tools/answer-call.ts';

interface CallArgs {
  readonly runId: string;
  readonly toolCallId: string | number;
}

type Payload = Promise<{ readonly run: RunRecord }>;

export async function resolveApproval(
  {
    input,
  }: {
    readonly input: CallArgs & {
      readonly approve: boolean;
      readonly arguments?: unknown;
      readonly reason?: string | null | undefined;
    };
  },
  context: Context,
): Payload {
  const { approve, arguments: changed, reason = null } = input;
  return { run: await resolve(context.services, asked(input, context), { approve, arguments: changed, reason }) };
}

export async function submitToolResult(
  { input }: { readonly input: CallArgs & { readonly result?: unknown; readonly error?: string | null | undefined } },
  context: Context,
): Payload {
  const { result, error = null } = input;
  // A result may be null; one that stands beside an error, as clients send what they leave out, is none.
  const given = result === null && error !== null ? undefined : result;
  const maxChars = context.services.limits.maxToolResultChars;
  return { run: await submit(context.services, asked(input, context), { result: given, error, maxChars }) };
}

function asked({ runId, toolCallId }: CallArgs, { principal: caller, signal }: Context) {
  return { caller, runId: runId.toLowerCase(), toolCallId: String(toolCallId), signal };
}
