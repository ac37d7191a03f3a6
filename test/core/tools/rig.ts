import type { Logger } from '../../../core/contracts/logger.ts';
import type { Tool, ToolIo, ToolProvider } from '../../../core/contracts/tool.ts';

/** A tool that answers at once; what a test is about goes over it. */
export function aTool(parts: Partial<Tool> & Pick<Tool, 'name'>): Tool {
  return {
    description: 'A tool of a test.',
    parameters: { type: 'object' },
    requiresApproval: false,
    source: 'BUILTIN',
    changesWorld: false,
    timeoutMs: 5_000,
    resultSchema: null,
    call: async () => ({ value: 'done' }),
    ...parts,
  };
}

export const providerOf = (...tools: readonly Tool[]): ToolProvider => ({ tools: () => tools });

export function toolIo(parts: Partial<ToolIo> = {}): ToolIo {
  return {
    tenant: 'default',
    keyId: null,
    runId: '00000000-0000-4000-8000-000000000000',
    idempotencyKey: 'call-1',
    signal: new AbortController().signal,
    spend: () => {},
    ...parts,
  };
}

/** Keeps what was said, to be looked at. */
export function heardLogger(): Logger & { readonly lines: { readonly message: string; readonly fields: object }[] } {
  const lines: { message: string; fields: object }[] = [];
  const say = (fields: object, message: string): void => void lines.push({ message, fields });
  const logger = { lines, debug: say, info: say, warn: say, error: say, child: () => logger };
  return logger;
}
