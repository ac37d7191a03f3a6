import type { ChatModel } from '../models.ts';
import type { Plan } from '../routes/route-table.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { usualContextWindow } from './usual-sizes.ts';

const known = new WeakMap<Plan, ChatModel>();

/** A model that only quotes its sources reads as many as it is given. */
const extractiveContextWindow = 1_000_000;

/**
 * What a caller can count on. A route bears what its largest target does, since a call goes only to targets that it fits; it reads only
 * the attachments that all of them read, and writes freely only if all of them do.
 */
export function chatModelOf(plan: Plan): ChatModel {
  const model = known.get(plan) ?? describe(plan);
  known.set(plan, model);
  return model;
}

function describe({ name, route, choices }: Plan): ChatModel {
  const entries = choices.map(({ entry }) => entry);
  const bounds = entries.map(({ maxOutputTokens }) => maxOutputTokens);
  return {
    name,
    provider: choices[0].entry.provider.name,
    generative: entries.every(({ provider }) => provider.generative),
    contextWindow: Math.max(...entries.map(windowOf)),
    attachments: commonTypes(entries.map(({ attachments }) => attachments)),
    maxOutputTokens: bounds.includes(null) ? null : Math.max(...bounds.map((tokens) => tokens ?? 0)),
    route: route === null ? null : { name: route.name, coalesce: route.coalesce ?? false },
  };
}

function windowOf({ contextWindow, provider }: CatalogueEntry): number {
  return contextWindow ?? (provider.generative ? usualContextWindow : extractiveContextWindow);
}

/** Of all types that are named, those that every list has, be it by a wildcard. */
function commonTypes(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = lists;
  if (lists.length === 1) return first;
  const named = [...new Set(lists.flat())];
  return named.filter((type) => lists.every((list) => list.some((entry) => covers(entry, type))));
}

function covers(entry: string, type: string): boolean {
  return entry === type || (entry.endsWith('/*') && type.startsWith(entry.slice(0, -1)));
}
