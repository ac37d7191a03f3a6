import { GatewayError } from '../contracts/gateway-error.ts';
import type { ToolDefinition } from '../contracts/model-provider.ts';
import type { ToolDescription } from '../contracts/tool.ts';
import { assertStorable } from '../text/normalise.ts';
import { toolName } from './toolbox.ts';

const maxTools = 128;
const maxDescriptionChars = 10_000;

/**
 * BAD_INPUT for tools of the app that cannot stand beside those of the gateway that the run is given. The names of all of them.
 * Whether parameters are a schema takes a thread.
 */
export function checkClientTools(
  clientTools: readonly ToolDefinition[],
  given: readonly { readonly name: string }[],
): ReadonlySet<string> {
  if (given.length + clientTools.length > maxTools) {
    throw bad(`tools and clientTools must be at most ${maxTools} together, got ${given.length + clientTools.length}.`);
  }
  const names = new Set(given.map(({ name }) => name));
  for (const [index, { name, description }] of clientTools.entries()) {
    const at = `clientTools[${index}]`;
    if (!toolName.test(name))
      throw bad(`${at}.name must be [A-Za-z0-9_-], at most 64 characters, got ${JSON.stringify(name.slice(0, 80))}.`);
    if (names.has(name)) throw bad(`${at}.name must be unique among the tools of the run, got ${name} twice.`);
    names.add(name);
    if (description.length > maxDescriptionChars)
      throw bad(`${at}.description must be at most ${maxDescriptionChars} characters, got ${description.length}.`);
    assertStorable(description, `${at}.description`);
  }
  return names;
}

/** As a run's models and its log see them. */
export function describeClientTools(clientTools: readonly ToolDefinition[]): ToolDescription[] {
  return clientTools.map((tool) => ({ ...tool, requiresApproval: false, source: 'CLIENT' }));
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
