import { z } from 'zod';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { assertDepth, assertSize } from '../../core/text/storable-json.ts';
import { listOf, maxFaults } from './bounded-list.ts';
import { forwardedProps } from './forwarded-props.ts';

/*
 * RunAgentInput of AG-UI 1.0 (https://ag-ui.com/spec/1.0/schema.json) and, beside it, what clients from before 1.0 send:
 * nulls for what is left out, and `binary` parts. Objects are loose, as the protocol asks of readers; only forwardedProps,
 * which are ours to define, are strict.
 */

const source = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('data'), value: z.string(), mimeType: z.string() }),
  z.looseObject({ type: z.literal('url'), value: z.string(), mimeType: z.string().nullish() }),
  z.looseObject({ type: z.literal('file'), value: z.string() }),
]);

const contentPart = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal(['image', 'audio', 'video', 'document']), source }),
  z.looseObject({
    type: z.literal('binary'),
    mimeType: z.string(),
    data: z.string().nullish(),
    url: z.string().nullish(),
  }),
]);

const toolCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.looseObject({ id: z.string(), role: z.literal('user'), content: z.union([z.string(), listOf(contentPart)]) }),
  z.looseObject({
    id: z.string(),
    role: z.literal('assistant'),
    content: z.string().nullish(),
    toolCalls: listOf(toolCall).nullish(),
  }),
  z.looseObject({ id: z.string(), role: z.literal(['system', 'developer']), content: z.string() }),
  z.looseObject({
    ...{ id: z.string(), role: z.literal('tool'), toolCallId: z.string() },
    content: z.union([z.string(), listOf(contentPart)]).nullish(),
    error: z.string().nullish(),
  }),
  z.looseObject({ id: z.string(), role: z.literal(['reasoning', 'activity']) }),
]);

const id = z.string().max(1_000);

const runAgentInput = z.looseObject({
  threadId: id,
  runId: id.min(1),
  protocolVersion: z.string().nullish(),
  messages: listOf(message),
  tools: listOf(
    z.looseObject({
      name: z.string(),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    }),
  ).nullish(),
  context: listOf(z.looseObject({ description: z.string(), value: z.string() })).nullish(),
  resume: listOf(
    z.looseObject({
      interruptId: z.string(),
      status: z.literal(['resolved', 'cancelled']),
      payload: z.unknown().optional(),
    }),
  ).nullish(),
  forwardedProps: forwardedProps.nullish(),
});

export type RunAgentInput = z.infer<typeof runAgentInput>;
export type InputMessage = RunAgentInput['messages'][number];
export type ContentPart = z.infer<typeof contentPart>;

const maxDepth = 150;
/** Of a thousand messages with their calls and the schemas of many tools, several times over. */
const maxValues = 100_000;
const maxFaultChars = 300;

/** The body of a request; BAD_INPUT names every fault with its path. */
export function parseRunAgentInput(body: Buffer): RunAgentInput {
  const value = parseJson(body);
  // Before anything walks it: a value that is nested some thousand deep takes any recursion's stack.
  assertDepth(value, 'The body', maxDepth);
  assertSize(value, 'The body', maxValues);
  const parsed = runAgentInput.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .slice(0, maxFaults)
    .map(({ path, message }) => `${pathOf(path)}: ${message}`.slice(0, maxFaultChars));
  throw new GatewayError('BAD_INPUT', `The body must be a RunAgentInput of AG-UI: ${issues.join('; ')}.`, {
    details: { issues },
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GatewayError('BAD_INPUT', `The body must be JSON in UTF-8: ${why.slice(0, 200)}`);
  }
}

/** `messages[2].content` */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
