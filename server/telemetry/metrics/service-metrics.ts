import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../../adapters/postgres/database.ts';
import type { Services } from '../../../core/services.ts';

export interface ObservedParts {
  readonly services: Pick<Services, 'health' | 'runs'>;
  readonly database: Pick<Database, 'connections'>;
  /** Open WebSockets. */
  readonly sockets: () => number;
}

/** What is asked of the parts when somebody reads the metrics; nothing is counted in between. */
export function serviceMetrics(registry: Registry, { services, database, sockets }: ObservedParts): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_component_up',
    help: '1: the component (database, redis, a provider) answered when it was last used; 0: it did not.',
    labelNames: ['component'],
    registers,
    collect() {
      for (const { name, ok } of services.health().components) this.set({ component: name }, ok ? 1 : 0);
    },
  });
  new Gauge({
    name: 'sluice_runs_live',
    help: 'Runs of this instance: those that execute, and those that wait for a slot.',
    labelNames: ['state'],
    registers,
    collect() {
      const { queuedCount, liveCount } = services.runs;
      this.set({ state: 'queued' }, queuedCount);
      this.set({ state: 'running' }, liveCount - queuedCount);
    },
  });
  new Gauge({
    name: 'sluice_websockets_open',
    help: 'Open WebSocket connections.',
    registers,
    collect() {
      this.set(sockets());
    },
  });
  new Gauge({
    name: 'sluice_database_connections',
    help: 'Connections of the pool: busy and idle, and how many statements wait for one.',
    labelNames: ['state'],
    registers,
    collect() {
      const { open, idle, waiting } = database.connections();
      this.set({ state: 'busy' }, open - idle);
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'waiting' }, waiting);
    },
  });
}
