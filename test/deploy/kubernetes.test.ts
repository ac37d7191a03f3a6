import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { configSchema } from '../../server/config/config-schema.ts';
import { createHttpServer } from '../../server/http/http-server.ts';
import { accessAtStart } from '../../server/services/open-access.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { createTelemetry } from '../../server/telemetry/telemetry.ts';
import { parseDockerfile } from './dockerfile.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly envFrom: readonly object[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly strategy: object;
    readonly minAvailable: number;
    readonly sessionAffinity: string;
    readonly ports: readonly { readonly targetPort: string }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const root = new URL('../../', import.meta.url).pathname;
const read = (name: string): Promise<string> => readFile(join(root, name), 'utf8');
const documents = parseAllDocuments(await read('deploy/kubernetes.yaml'));
const manifests = documents.map((document) => document.toJS() as Manifest);
const of = (kind: string): Manifest => manifests.find((manifest) => manifest.kind === kind) ?? expect.unreachable(kind);
const { spec } = of('Deployment');
const pod = spec.template.spec;
const container = pod.containers[0] ?? expect.unreachable('a container');
const config = configSchema.parse(JSON.parse(of('ConfigMap').data?.['sluice.config.json'] ?? ''));
const { settings } = parseDockerfile(await read('Dockerfile'));

describe('deploy/kubernetes.yaml', () => {
  it('is YAML without a fault', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Deployment', 'Service', 'PodDisruptionBudget']);
  });

  it('gives an instance longer to stop than preStop and the drain period together, with a reserve', () => {
    const [program, seconds] = container.lifecycle.preStop.exec.command;
    expect(program).toBe('sleep');
    expect(Number(seconds)).toBeGreaterThanOrEqual(5);
    const reserveMs = 5_000;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(
      Number(seconds) * 1_000 + config.timeouts.drainMs + reserveMs,
    );
  });

  it('keeps an instance at work whatever is rolled out or drained', () => {
    expect(spec.replicas).toBeGreaterThanOrEqual(2);
    expect(spec.strategy).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
    expect(of('PodDisruptionBudget').spec.minAvailable).toBeLessThan(spec.replicas);
    for (const selector of [spec.selector, of('PodDisruptionBudget').spec.selector])
      expect(spec.template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(of('Service').spec.sessionAffinity).toBe('None');
  });

  it('probes what the server answers: that it lives, while it is not ready', async () => {
    const logger = createLogger({ level: 'silent', secrets: [] });
    const state = () => ({ notReady: 'it is opening its database' });
    using telemetry = createTelemetry(config, logger);
    const parts = { config, access: () => accessAtStart(config), logger, telemetry, state };
    const server = createHttpServer(parts).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const statusOf = async ({ httpGet }: Probe): Promise<number> => {
      expect(container.ports.map(({ name }) => name)).toContain(httpGet.port);
      const response = await fetch(`http://127.0.0.1:${port}${httpGet.path}`);
      await response.body?.cancel();
      return response.status;
    };
    try {
      expect(await statusOf(container.startupProbe)).toBe(200);
      expect(await statusOf(container.livenessProbe)).toBe(200);
      expect(await statusOf(container.readinessProbe)).toBe(503);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('runs the image as the image is: its user, its port, a root that is read-only', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: settings.user.uid,
      runAsGroup: settings.user.gid,
    });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.ports[0]).toMatchObject({ containerPort: settings.port });
    expect(of('Service').spec.ports[0]?.targetPort).toBe(container.ports[0]?.name);
    expect(container.image.split(':').at(-1)).toBe(packageJson.version);
    expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
    expect(container.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
  });

  it('takes its secrets from a Secret, and its configuration from a file that the gateway takes', () => {
    expect(container.envFrom).toEqual([{ secretRef: { name: 'sluice' } }]);
    expect(container.env).toEqual([{ name: 'SLUICE_CONFIG', value: '/config/sluice.config.json' }]);
    expect(container.volumeMounts).toContainEqual({ name: 'config', mountPath: '/config', readOnly: true });
  });
});
