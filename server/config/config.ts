import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, configSchema } from './config-schema.ts';

/** Environment variable → path in the configuration. The environment wins over the file. */
const variables: Readonly<Record<string, readonly string[]>> = {
  HOST: ['host'],
  PORT: ['port'],
  SLUICE_DATA_DIR: ['dataDir'],
  DATABASE_URL: ['databaseUrl'],
  REDIS_URL: ['redisUrl'],
  OPENAI_API_KEY: ['openai', 'apiKey'],
  OPENAI_BASE_URL: ['openai', 'baseUrl'],
  SLUICE_CHAT_MODEL: ['openai', 'chatModel'],
  SLUICE_EMBEDDING_MODEL: ['openai', 'embeddingModel'],
  SLUICE_API_KEY: ['apiKey'],
  SLUICE_SEED_DOCS: ['seedDocs'],
  SLUICE_METRICS_TOKEN: ['metrics', 'token'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['telemetry', 'otlpEndpoint'],
  OTEL_SERVICE_NAME: ['telemetry', 'serviceName'],
  LOG_LEVEL: ['logLevel'],
};

/** Every fault of a configuration, each with its path: all that there are to mend, at once. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n- ${faults.join('\n- ')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads the environment, and the file that SLUICE_CONFIG names; throws a ConfigError with every fault. Frozen. */
export async function loadConfig(environment: NodeJS.ProcessEnv): Promise<Config> {
  const values = await readConfigFile(environment['SLUICE_CONFIG']);
  for (const [name, path] of Object.entries(variables)) {
    const value = environment[name]?.trim();
    if (value) setAt(values, path, value);
  }
  for (const section of ['providers', 'mcpServers']) fillIn(values[section], [section], environment);
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => {
        const names = issue.path.map(String);
        // What is wrong with a name stands one level deeper.
        const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
        return `${nameOf(names, environment)}: ${message}${cameAt(values, names)}`;
      }),
    );
  }
  return deepFreeze(parsed.data);
}

async function readConfigFile(path: string | undefined): Promise<Record<string, unknown>> {
  if (!path) return {};
  try {
    const file = resolve(path);
    const content: unknown = /\.[cm]?[jt]s$/.test(file)
      ? (await import(pathToFileURL(file).href)).default
      : JSON.parse(await readFile(file, 'utf8'));
    if (typeof content === 'object' && content !== null && !Array.isArray(content))
      return structuredClone({ ...content });
    throw new Error('expected an object (of a .ts file: its default export)');
  } catch (error) {
    throw new ConfigError([`SLUICE_CONFIG: ${path}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/**
 * `"$NAME"` in a key or a header of a provider, and in the environment or a header of an MCP server, is the environment variable NAME,
 * so that the file holds no secret. One that is not set is as one that was left out.
 */
function fillIn(value: unknown, path: readonly string[], environment: NodeJS.ProcessEnv): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const isSecret = isSecretOfSection([...path, key]);
    const name = isSecret && typeof inner === 'string' ? /^\$(\w+)$/.exec(inner)?.[1] : undefined;
    if (name === undefined) fillIn(inner, [...path, key], environment);
    else if (environment[name]) Reflect.set(value, key, environment[name]);
    else Reflect.deleteProperty(value, key);
  }
}

/** By section of what is named by the user: the fields in which secrets stand. */
const secretFields: Readonly<Record<string, readonly string[]>> = {
  providers: ['apiKey', 'apiKeys', 'headers'],
  mcpServers: ['env', 'headers'],
};

function isSecretOfSection([section = '', , field = '']: readonly string[]): boolean {
  return secretFields[section]?.includes(field) ?? false;
}

function setAt(values: Record<string, unknown>, path: readonly string[], value: string): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    values[key] = value;
    return;
  }
  const inner = values[key];
  const next: Record<string, unknown> = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  values[key] = next;
  setAt(next, rest, value);
}

/** People look for the name that they wrote: the variable where it was set, the path in the file otherwise. */
function nameOf(path: readonly string[], environment: NodeJS.ProcessEnv): string {
  const [variable] = Object.entries(variables).find(([, target]) => target.join('.') === path.join('.')) ?? [];
  return variable !== undefined && environment[variable] ? variable : path.join('.') || 'the file';
}

/** Addresses too: they may hold a password. */
const secrets = new Set([
  ...[
    'apiKey',
    'databaseUrl',
    'metrics.token',
    'openai.apiKey',
    'openai.baseUrl',
    'redisUrl',
    'telemetry.otlpEndpoint',
  ],
]);

/** What came, where it is no secret. */
function cameAt(values: unknown, path: readonly string[]): string {
  if (secrets.has(path.join('.')) || isSecretOfSection(path)) return '';
  if (path[0] === 'providers' && path[2] === 'baseUrl') return '';
  if (path[0] === 'mcpServers' && (path[2] === 'url' || path[2] === 'args')) return '';
  if (path[1] === 'otlpHeaders') return '';
  const value = path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    values,
  );
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? `, got ${JSON.stringify(value).slice(0, 100)}` : '';
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
