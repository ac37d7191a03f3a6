import type { ModelHealth, ModelInfo } from '../core/models/models.ts';
import { builder } from './builder.ts';

const CapabilityRef = builder.enumType('Capability', {
  values: ['CHAT', 'TOOLS', 'EMBEDDING', 'RERANK', 'MODERATION'] as const,
});
const CircuitStateRef = builder.enumType('CircuitState', {
  description: 'OPEN: calls fail at once until the model has had time to recover; HALF_OPEN: one call tries.',
  values: ['CLOSED', 'HALF_OPEN', 'OPEN'] as const,
});

const ModelHealthRef = builder.objectRef<ModelHealth>('ModelHealth');
ModelHealthRef.implement({
  description: 'Of this instance, over the last minute.',
  fields: (t) => ({
    circuit: t.field({ type: CircuitStateRef, resolve: (health) => health.circuit }),
    inFlight: t.exposeInt('inFlight'),
    queued: t.exposeInt('queued', { description: 'Calls that wait for a free place.' }),
    p50Ms: t.exposeFloat('p50Ms', {
      nullable: true,
      description: 'Milliseconds to the first token of a chat, of a whole embeddings call.',
    }),
    p95Ms: t.exposeFloat('p95Ms', { nullable: true }),
    errorRate: t.exposeFloat('errorRate', { description: '0..1.' }),
    callsLastMinute: t.exposeInt('callsLastMinute'),
  }),
});

const ModelRef = builder.objectRef<ModelInfo>('Model');
ModelRef.implement({
  description: 'A model that calls can be routed to.',
  fields: (t) => ({
    name: t.exposeString('name'),
    provider: t.exposeString('provider'),
    capabilities: t.field({ type: [CapabilityRef], resolve: (model) => [...model.capabilities] }),
    contextWindow: t.exposeInt('contextWindow', {
      nullable: true,
      description: 'Tokens of input and output together.',
    }),
    inputUsdPerMillion: t.exposeFloat('inputUsdPerMillion', {
      nullable: true,
      description: 'US dollars per million tokens.',
    }),
    outputUsdPerMillion: t.exposeFloat('outputUsdPerMillion', {
      nullable: true,
      description: 'US dollars per million tokens.',
    }),
    routes: t.exposeStringList('routes', { description: 'Names of the routes that lead to it.' }),
    health: t.field({ type: ModelHealthRef, resolve: (model) => model.health }),
  }),
});

builder.queryField('models', (t) =>
  t.field({
    type: [ModelRef],
    authScopes: { anyKey: true },
    description: 'Models this gateway can route to, with price and live health.',
    resolve: async (_root, _args, { services, signal }) => [...(await services.models.list(signal))],
  }),
);
