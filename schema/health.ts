import type { ComponentHealth, HealthReport } from '../core/health.ts';
import { builder } from './builder.ts';

const ComponentHealthRef = builder.objectRef<ComponentHealth>('ComponentHealth');
ComponentHealthRef.implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    ok: t.exposeBoolean('ok'),
    detail: t.exposeString('detail', { nullable: true }),
  }),
});

const HealthRef = builder.objectRef<HealthReport>('Health');
HealthRef.implement({
  description: 'From what the parts already know: asking never waits for the database or a provider.',
  fields: (t) => ({
    ok: t.exposeBoolean('ok'),
    version: t.exposeString('version'),
    components: t.field({ type: [ComponentHealthRef], resolve: (health) => [...health.components] }),
    eventLoopDelayP99Ms: t.exposeFloat('eventLoopDelayP99Ms', {
      description: 'Milliseconds, over the last half minute or so.',
    }),
  }),
});

builder.queryField('health', (t) =>
  t.field({
    type: HealthRef,
    authScopes: { anyKey: true },
    description: 'How the gateway and its parts are, as far as it knows without asking.',
    resolve: (_root, _args, { services }) => services.health(),
  }),
);
