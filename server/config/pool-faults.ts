import { nearestName } from '../../core/models/routes/nearest.ts';
import { type KnownProvider, type RouteFault, routeFaults } from '../../core/models/routes/route-faults.ts';
import type { RouteOptions } from '../../core/models/routes/route-options.ts';
import { isLoopback } from '../http/loopback.ts';
import { presetOf } from './presets.ts';
import type { ConfiguredProvider, ConfiguredRoute } from './providers.ts';

/** The part of a configuration that says which models there are. */
export interface PoolConfig {
  readonly chatModel?: string | undefined;
  readonly openai: {
    readonly apiKey: string | null;
    readonly baseUrl?: string | undefined;
    readonly chatModel: string;
    readonly embeddingModel: string;
    readonly models: readonly { readonly name: string }[];
  };
  readonly providers: Readonly<Record<string, ConfiguredProvider>>;
  readonly routes: Readonly<Record<string, ConfiguredRoute>>;
}

/** Names of the providers that are made of sections of their own. */
const reserved = ['openai', 'local'];

export function isOpenaiUsed({ openai }: Pick<PoolConfig, 'openai'>): boolean {
  return openai.apiKey !== null || openai.baseUrl !== undefined;
}

/** Where a target goes that names no provider. */
export function defaultProvider(config: Pick<PoolConfig, 'openai' | 'providers'>): string {
  return isOpenaiUsed(config) ? 'openai' : (Object.keys(config.providers)[0] ?? 'local');
}

/** Undefined: that of the first provider that has one. */
export function defaultChatModel({ chatModel, openai, routes }: PoolConfig): string | undefined {
  // SLUICE_CHAT_MODEL may name a route, with or without OPENAI_API_KEY.
  return chatModel ?? (routes[openai.chatModel] === undefined ? undefined : openai.chatModel);
}

export function routeOptions(config: PoolConfig): RouteOptions[] {
  return Object.entries(config.routes).map(([name, { targets, hedge, cache: _cache, ...route }]) => ({
    name,
    ...route,
    targets: targets.map((target) => ({ ...target, provider: target.provider ?? defaultProvider(config) })),
    ...(hedge === undefined
      ? {}
      : {
          hedge: {
            after: 'afterMs' in hedge ? { ms: hedge.afterMs } : { percentile: hedge.percentile },
            maxShare: hedge.maxShare,
          },
        }),
  }));
}

/** What is wrong between providers and routes, each part being right by itself. */
export function poolFaults(config: PoolConfig): RouteFault[] {
  const known = knownProviders(config);
  return [
    ...Object.entries(config.providers).flatMap(([name, provider]) => providerFaults(name, provider)),
    ...routeFaults(routeOptions(config), known).map(({ path, message }) => ({ path: ['routes', ...path], message })),
    ...Object.entries(config.routes).flatMap(([name, route]) => selfFaults(name, route, config)),
    ...chatModelFaults(config, known),
  ];
}

function knownProviders(config: PoolConfig): KnownProvider[] {
  const { openai, providers } = config;
  const named = Object.entries(providers).map(([name, { closed, chatModel, embeddingModel, models }]) => {
    const names = [chatModel, embeddingModel, ...models.map((model) => model.name)];
    return { name, models: closed ? names.filter((each) => each !== undefined) : null };
  });
  const local = { name: 'local', models: ['extractive', 'all-MiniLM-L6-v2'] };
  return [...(isOpenaiUsed({ openai }) ? [{ name: 'openai', models: null }] : []), ...named, local];
}

function providerFaults(name: string, provider: ConfiguredProvider): RouteFault[] {
  const faults: RouteFault[] = [];
  const fault = (path: readonly string[], message: string) =>
    void faults.push({ path: ['providers', name, ...path], message });
  const { preset, apiKey, apiKeys, keyless, models } = provider;
  const { baseUrl: usual, keyless: wantsNone = false } = presetOf(preset);
  const baseUrl = provider.baseUrl ?? usual;
  if (reserved.includes(name)) fault([], `the name is taken: ${name} has a section or comes with the gateway`);
  if (baseUrl === null)
    fault(['baseUrl'], 'expected the address of an OpenAI-compatible API, or a preset that has one');
  if (apiKey !== undefined && apiKeys !== undefined) fault(['apiKeys'], 'expected either apiKey or apiKeys, got both');
  const isNear = baseUrl !== null && isLoopback(new URL(baseUrl).hostname.replace(/^\[|\]$/g, ''));
  if (apiKey === undefined && apiKeys === undefined && !keyless && !wantsNone && !isNear) {
    fault(['apiKey'], 'expected a key: apiKey or apiKeys; keyless: true for a server that wants none');
  }
  for (const [index, { name: model }] of models.entries()) {
    const isTwice = models.findIndex((each) => each.name === model) < index;
    if (isTwice) fault(['models', String(index), 'name'], `${model} is a model of this provider already`);
  }
  return faults;
}

/** A target is a model. Without a provider its name may be taken for a route's, which it cannot be. */
function selfFaults(name: string, { targets }: ConfiguredRoute, { routes }: PoolConfig): RouteFault[] {
  return targets.flatMap(({ provider, model }, index) => {
    if (provider !== undefined || routes[model] === undefined) return [];
    const what = model === name ? 'the route itself' : 'a route';
    const message = `${model} is ${what}: expected a model, with its provider where both have the name`;
    return [{ path: ['routes', name, 'targets', String(index), 'model'], message }];
  });
}

function chatModelFaults({ chatModel, routes }: PoolConfig, known: readonly KnownProvider[]): RouteFault[] {
  const message = chatModel === undefined ? null : unknownModel(chatModel, routes, known);
  return message === null ? [] : [{ path: ['chatModel'], message }];
}

/** What is wrong with a name that should be a route's or a model's; null: nothing. */
export function modelFault(name: string, config: PoolConfig): string | null {
  return unknownModel(name, config.routes, knownProviders(config));
}

function unknownModel(name: string, routes: PoolConfig['routes'], known: readonly KnownProvider[]): string | null {
  if (routes[name] !== undefined || known.some(({ models }) => models === null || models.includes(name))) return null;
  const meant = nearestName(name, [...Object.keys(routes), ...known.flatMap(({ models }) => models ?? [])]);
  return `expected a route or a model of a provider${meant === null ? '' : `; the nearest name is "${meant}"`}`;
}
