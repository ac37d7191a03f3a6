import type { ResponseSchemas } from '../chat/response-schemas.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Tool, ToolDescription, ToolIo, ToolProvider } from '../contracts/tool.ts';
import { callTool, failed, type ToolOutcome } from './call-tool.ts';
import { type ArgumentsReading, readArguments, type ToolArguments } from './read-arguments.ts';

/** What providers of models take as a tool's name. */
export const toolName = /^[A-Za-z0-9_-]{1,64}$/;

/** What the operator decided of one tool, over what the tool says of itself. */
export interface ToolSettings {
  readonly requiresApproval?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxResultChars?: number | undefined;
}

export interface ToolboxOptions {
  /** Where tools come from; of two tools of one name the earlier provider's is taken. */
  readonly providers: readonly ToolProvider[];
  readonly schemas: ResponseSchemas;
  readonly logger: Logger;
  /** By the name of the tool. */
  readonly settings: Readonly<Record<string, ToolSettings>>;
  /** Of tools without a setting of their own. */
  readonly maxResultChars: number;
}

/** All tools that the gateway runs itself, and the only way to call one. */
export interface Toolbox {
  /** As they are now, by name; servers may add and remove some at any time. */
  list(): readonly Tool[];
  /** BAD_INPUT that names those there are not. Order of `names`, each once. */
  named(names: readonly string[]): readonly Tool[];
  /** Of client tools too. Rejects only with the reason of an abort. */
  readArguments(
    tool: Pick<ToolDescription, 'name' | 'parameters'>,
    written: string,
    signal: AbortSignal,
  ): Promise<ArgumentsReading>;
  /**
   * Calls the tool of that name with arguments that `readArguments` returned. One that has gone since is a failed call, like every
   * other failure; only an abort of `io.signal` rejects. Whether the run was given the tool, and approval, are the caller's to see to.
   */
  call(name: string, args: ToolArguments, io: ToolIo): Promise<ToolOutcome>;
}

export function createToolbox({ providers, schemas, logger, settings, maxResultChars }: ToolboxOptions): Toolbox {
  /** Names that were complained about already; a list is made for every run. */
  const reported = new Set<string>();
  const leaveOut = (name: string, why: string): void => {
    const shown = name.slice(0, 100);
    if (reported.has(shown)) return;
    reported.add(shown);
    logger.warn({ tool: shown }, why);
  };

  const byName = (): Map<string, Tool> => {
    const tools = new Map<string, Tool>();
    for (const tool of providers.flatMap((provider) => provider.tools())) {
      if (!toolName.test(tool.name)) leaveOut(tool.name, 'a tool was left out: its name must be [A-Za-z0-9_-]{1,64}');
      else if (tools.has(tool.name)) leaveOut(tool.name, 'a tool was left out: another one has its name');
      else tools.set(tool.name, withSettings(tool, settings[tool.name]));
    }
    return tools;
  };

  return {
    list: () => [...byName().values()].sort((left, right) => (left.name < right.name ? -1 : 1)),

    named(names) {
      if (names.length === 0) return [];
      const tools = byName();
      const wanted = [...new Set(names)];
      const unknown = wanted.filter((name) => !tools.has(name));
      if (unknown.length > 0) throw noSuchTools(unknown, [...tools.keys()]);
      return wanted.flatMap((name) => tools.get(name) ?? []);
    },

    readArguments: (tool, written, signal) => readArguments(schemas, tool, written, signal),

    async call(name, args, io) {
      const tool = byName().get(name);
      if (tool === undefined) return failed(`${name} is not there any more.`);
      const bounds = {
        timeoutMs: tool.timeoutMs,
        maxResultChars: settings[name]?.maxResultChars ?? maxResultChars,
      };
      return callTool({ schemas, logger }, tool, args, bounds, io);
    },
  };
}

/** The tool stays the object it is, methods and private fields too: only what was decided stands in front of it. */
function withSettings(tool: Tool, settings: ToolSettings | undefined): Tool {
  if (settings === undefined) return tool;
  const { name, description, parameters, source, changesWorld, resultSchema } = tool;
  return {
    ...{ name, description, parameters, source, changesWorld, resultSchema },
    requiresApproval: settings.requiresApproval ?? tool.requiresApproval,
    timeoutMs: settings.timeoutMs ?? tool.timeoutMs,
    call: (args, io) => tool.call(args, io),
  };
}

function noSuchTools(unknown: readonly string[], known: readonly string[]): GatewayError {
  const shown = unknown.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 64)));
  const there = known.length === 0 ? 'there are none' : `there are ${known.toSorted().join(', ').slice(0, 1_000)}`;
  return new GatewayError(
    'BAD_INPUT',
    `tools must be names of tools that there are, got ${shown.join(', ')}; ${there}.`,
  );
}
