import type { ResponseSchemas } from '../chat/response-schemas.ts';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { ToolDescription } from '../contracts/tool.ts';
import { assertStorableJson } from '../text/storable-json.ts';

export type ToolArguments = Readonly<Record<string, Json>>;

export type ArgumentsReading =
  | { readonly ok: true; readonly value: ToolArguments }
  /** For the model: what was wrong, where, what came and what was expected. */
  | { readonly ok: false; readonly fault: string };

const bounds = { maxChars: 100_000, maxDepth: 50 };

/**
 * What a model wrote as the arguments of a tool, checked against the tool's schema in the schemas' own thread: a schema may come from
 * an app or from another server. Rejects only with the reason of an abort.
 */
export async function readArguments(
  schemas: ResponseSchemas,
  tool: Pick<ToolDescription, 'name' | 'parameters'>,
  written: string,
  signal: AbortSignal,
): Promise<ArgumentsReading> {
  if (written.length > bounds.maxChars) {
    return fault(tool, `they must be at most ${bounds.maxChars} characters, got ${written.length}`);
  }
  // Without parameters there is nothing to write, and some models write just that.
  const text = written.trim() === '' ? '{}' : written;
  try {
    const check = await schemas.check(tool.parameters, text, signal, `the parameters of ${tool.name}`);
    if (!check.ok) return fault(tool, check.faults.join('; '));
    assertStorableJson(check.value, 'arguments', bounds);
    if (isObject(check.value)) return { ok: true, value: check.value };
    return fault(tool, `they must be a JSON object, got ${JSON.stringify(check.value).slice(0, 100)}`);
  } catch (error) {
    if (signal.aborted || !(error instanceof GatewayError) || error.code !== 'BAD_INPUT') throw error;
    return fault(tool, error.message);
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const fault = ({ name }: { readonly name: string }, what: string): ArgumentsReading => ({
  ok: false,
  fault: `The arguments of ${name} are not valid, so it was not called: ${what}. Call it again with arguments that satisfy its schema.`,
});
