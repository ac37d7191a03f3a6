import * as table from 'gpt-tokenizer/models';
import type { Capability } from '../../contracts/model-provider.ts';

export interface KnownModel {
  /** Null: the table does not say. */
  readonly capabilities: readonly Capability[] | null;
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
}

/** The part of gpt-tokenizer's table that is read here; most fields are missing for some model. */
interface Spec {
  readonly supported_endpoints?: readonly string[];
  readonly supported_features?: readonly string[];
  readonly modalities?: { readonly output?: readonly string[] };
  readonly context_window?: number;
  readonly max_output_tokens?: number;
}

const specs: ReadonlyMap<string, Spec> = new Map(Object.entries<object>(table));

/** What is publicly known of OpenAI's models; null for a name it has not published. */
export function knownModel(name: string): KnownModel | null {
  const spec = specs.get(name);
  if (spec === undefined) return null;
  return {
    capabilities: capabilitiesOf(spec),
    contextWindow: spec.context_window ?? null,
    maxOutputTokens: spec.max_output_tokens ?? null,
  };
}

function capabilitiesOf(spec: Spec): readonly Capability[] | null {
  const endpoints = spec.supported_endpoints ?? [];
  if (endpoints.length === 0) return null;
  const writesText = spec.modalities?.output?.includes('text') ?? true;
  const capabilities: Capability[] = [];
  // `responses` alone counts too: other servers offer such models (gpt-oss) over /chat/completions.
  if (writesText && (endpoints.includes('chat_completions') || endpoints.includes('responses'))) {
    capabilities.push('CHAT');
    if (spec.supported_features?.includes('function_calling')) capabilities.push('TOOLS');
  }
  if (endpoints.includes('embeddings')) capabilities.push('EMBEDDING');
  if (endpoints.includes('moderation')) capabilities.push('MODERATION');
  return capabilities;
}
