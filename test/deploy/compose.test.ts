import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../server/config/config.ts';
import { configSchema } from '../../server/config/config-schema.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly deploy?: { readonly replicas: number };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<'balancer' | 'gateway' | 'database' | 'redis', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = new URL('../../', import.meta.url).pathname;
const text = await readFile(join(root, 'compose.yaml'), 'utf8');
const compose = parse(text) as Compose;
const { balancer, gateway, database, redis } = compose.services;
const defaults = configSchema.parse({});

/** As compose replaces variables: `${NAME:?why}` throws where it is not set. */
function filledIn(value: string, variables: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\{(\w+):([?-])([^}]*)\}/g, (_, name: string, operator: string, rest: string) => {
    const found = variables[name];
    if (found) return found;
    if (operator === '?') throw new Error(`${name}: ${rest}`);
    return rest;
  });
}

/** What the gateway would read. */
function environmentOf({ environment = {} }: Service, variables: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filledIn(value, variables)]));
}

describe('compose.yaml', () => {
  it('is valid by the schema of the compose specification', async () => {
    const linter = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
    const text = await readFile(join(linter, 'schemas/compose.schema.json'), 'utf8');
    // Its $schema is the draft by another spelling of its address, which Ajv does not know.
    const { $schema: _, ...schema } = JSON.parse(text) as Record<string, unknown>;
    const validate = new Ajv({ strict: false }).compile(schema);
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ ...compose, services: { ...compose.services, gateway: { ...gateway, replicas: 2 } } })).toBe(
      false,
    );
  });

  it('has two instances that the environment makes one gateway: a database, a Redis and a key', async () => {
    expect(gateway.deploy?.replicas).toBe(2);
    const variables = { POSTGRES_PASSWORD: 'a1b2c3', SLUICE_API_KEY: 'a-key-of-this-test-only' };
    const config = await loadConfig({ HOST: '0.0.0.0', ...environmentOf(gateway, variables) });
    expect(config).toMatchObject({
      databaseUrl: 'postgres://sluice:a1b2c3@database:5432/sluice',
      redisUrl: 'redis://redis:6379',
      apiKey: variables.SLUICE_API_KEY,
      openai: { apiKey: null, chatModel: defaults.openai.chatModel },
    });
    expect(config.openai.baseUrl).toBeUndefined();
  });

  it('holds no secret, and asks for each that is not set', () => {
    for (const service of [gateway, database]) {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (/PASSWORD|KEY|DATABASE_URL/.test(name)) expect(value).toMatch(/\$\{\w+:[?-]/);
      }
    }
    expect(() => environmentOf(gateway, { SLUICE_API_KEY: 'x' })).toThrow('POSTGRES_PASSWORD: letters and digits');
    expect(() => environmentOf(gateway, { POSTGRES_PASSWORD: 'x' })).toThrow('SLUICE_API_KEY: the key');
    expect(() => environmentOf(database, {})).toThrow('POSTGRES_PASSWORD: letters and digits');
  });

  it('pins every image, and mounts only what is there', () => {
    for (const { image } of [balancer, database, redis]) expect(image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+(-[\w.]+)*$/);
    expect(gateway.build).toBe('.');
    for (const service of Object.values(compose.services)) {
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        expect(source.startsWith('.') ? existsSync(join(root, source)) : source in compose.volumes).toBe(true);
      }
      for (const network of service.networks) expect(network in compose.networks).toBe(true);
    }
  });

  it('lets the world reach the balancer only, and that one from this machine only', () => {
    expect(Object.entries(compose.services).filter(([, { ports }]) => ports)).toEqual([['balancer', balancer]]);
    expect(filledIn(balancer.ports?.[0] ?? '', {})).toBe('127.0.0.1:4000:8080');
    expect(compose.networks['data']).toMatchObject({ internal: true });
    for (const { networks } of [database, redis]) expect(networks).toEqual(['data']);
    expect(balancer.networks).toEqual(['edge']);
  });

  it('gives an instance longer to stop than it drains, and sends it work when it is ready', () => {
    const seconds = Number(/^(\d+)s$/.exec(gateway.stop_grace_period ?? '')?.[1]);
    expect(seconds * 1_000).toBeGreaterThanOrEqual(defaults.timeouts.drainMs + 5_000);
    expect(gateway.healthcheck?.test.join(' ')).toContain('/ready');
    expect(balancer.depends_on?.['gateway']?.condition).toBe('service_healthy');
    expect(gateway).toMatchObject({ read_only: true, tmpfs: ['/tmp'] });
  });
});
