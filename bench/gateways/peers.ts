import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDataDirectory } from '../../test/helpers/embedded-database.ts';
import { endWithUs } from '../../test/helpers/end-with-us.ts';
import { freePort } from '../../test/helpers/free-port.ts';
import { startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startChild } from '../durability/child.ts';
import { HttpClient, type OpenStream } from './http-client.ts';
import { SocketClient } from './socket-client.ts';

export const model = 'gpt-4.1-mini';
const apiKey = 'sk-bench-0123456789';
const question = 'How do you do?';

/** Takes streams one after the other. */
export interface Caller extends Disposable {
  stream(onText: (text: string) => string | null): OpenStream;
}

/** What an app may put between itself and its provider. */
export interface Peer {
  readonly name: string;
  /** Null: there is no process between. */
  readonly pid: number | null;
  /** One answer as a whole; what the body says. Any number at once. */
  call(): Promise<string>;
  /** A connection of its own, where the transport has one for each caller. */
  caller(): Promise<Caller>;
}

export interface RunningPeers extends AsyncDisposable {
  readonly peers: readonly Peer[];
}

/** A provider as an app without a gateway calls it, or a gateway of the same wire. */
function openaiPeer(name: string, pid: number | null, baseUrl: string, headers: Record<string, string> = {}): Peer {
  const target = {
    url: new URL(`${baseUrl}/chat/completions`),
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
  };
  const client = new HttpClient(target);
  const messages = [{ role: 'user', content: question }];
  const whole = JSON.stringify({ model, messages });
  const streamed = JSON.stringify({ model, messages, stream: true });
  const caller = { stream: (onText: (text: string) => string | null) => client.stream(streamed, onText) };
  return { name, pid, call: () => client.post(whole), caller: async () => ({ ...caller, [Symbol.dispose]: () => {} }) };
}

export function noPeer(vendorUrl: string): Peer {
  return openaiPeer('no gateway', null, vendorUrl);
}

export async function startRelay(vendorUrl: string): Promise<RunningPeers> {
  const child = await startChild('./relay.ts', vendorUrl);
  return {
    peers: [openaiPeer('bare relay', child.pid, child.url)],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/**
 * As its package starts it, without the console page. It retries only when it is told to, and heeds Retry-After only when told
 * that too.
 */
export async function startPortkey(vendorUrl: string, retry?: PortkeyRetry): Promise<RunningPeers> {
  const entry = createRequire(import.meta.url).resolve('@portkey-ai/gateway/package.json');
  const port = await freePort();
  const script = join(dirname(entry), 'build', 'start-server.js');
  const child = endWithUs(
    spawn(process.execPath, [script, '--headless', `--port=${port}`], {
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' },
      // It writes a line for every call.
      stdio: 'ignore',
    }),
  );
  const ended = once(child, 'close');
  await answers(`http://127.0.0.1:${port}/`);
  const headers = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': vendorUrl,
    ...(retry === undefined ? {} : { 'x-portkey-config': JSON.stringify(configOf(vendorUrl, retry)) }),
  };
  return {
    peers: [openaiPeer('Portkey 1.15.2', child.pid ?? 0, `http://127.0.0.1:${port}/v1`, headers)],
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface PortkeyRetry {
  readonly attempts: number;
  readonly use_retry_after_header: boolean;
}

const configOf = (vendorUrl: string, retry: PortkeyRetry) => ({
  provider: 'openai',
  custom_host: vendorUrl,
  api_key: apiKey,
  retry,
});

export interface SluiceOptions {
  readonly vendorUrl: string;
  /** false: nothing of a run is written to the database, as the peers write nothing. */
  readonly store: boolean;
  /** Without one it is the embedded database. */
  readonly databaseUrl?: string;
  readonly idleMs?: number;
  /** More of it, such as NODE_OPTIONS for a profile. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Ours, over WebSocket and over server-sent events. */
export async function startSluice(options: SluiceOptions): Promise<RunningPeers> {
  const { vendorUrl, store, databaseUrl, idleMs, environment } = options;
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await temporaryDataDirectory());
  const config = opened.use(
    await configFile({
      limits: { maxRuns: 2_000 },
      openai: { maxConcurrent: 2_000 },
      seedDocs: false,
      ...(idleMs === undefined ? {} : { timeouts: { idleMs } }),
    }),
  );
  const gateway = opened.use(
    await startGatewayProcess({
      dataDir: directory.path,
      environment: {
        // The peers write no line for each call either.
        LOG_LEVEL: 'warn',
        ...config.environment,
        ...environment,
        OPENAI_BASE_URL: vendorUrl,
        OPENAI_API_KEY: apiKey,
        ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      },
    }),
  );
  const { pid, url } = gateway;
  const client = opened.use(new HttpClient({ url: new URL(url), headers: { accept: 'application/json' } }));
  const variables = { input: { message: question, store, whenUnwatched: 'CANCEL' } };
  const whole = JSON.stringify({ query: callOperation, variables });
  const streamed = JSON.stringify({ query: streamOperation, variables });
  const call = () => client.post(whole);
  const name = store ? 'Sluice, stored' : 'Sluice';
  const listening = (onText: (text: string) => string | null) => (text: string) => onText(text) ?? failureIn(text);
  const webSocket: Peer = {
    name: `${name}, WebSocket`,
    pid,
    call,
    caller: async () => {
      const socket = await SocketClient.connect(url.replace(/^http/, 'ws'));
      return {
        stream: (onText) => socket.stream(streamed, listening(onText)),
        [Symbol.dispose]: () => socket[Symbol.dispose](),
      };
    },
  };
  const events: Peer = {
    name: `${name}, SSE`,
    pid,
    call,
    caller: async () => ({
      stream: (onText) => client.stream(streamed, listening(onText)),
      [Symbol.dispose]: () => {},
    }),
  };
  const close = opened.move();
  return { peers: [webSocket, events], [Symbol.asyncDispose]: () => close.disposeAsync() };
}

const callOperation = `mutation BenchCall($input: StartChatInput!) {
  startChat(input: $input) { run { reply { text } } }
}`;
const streamOperation = `subscription BenchStream($input: StartChatInput!) {
  chat(input: $input) { __typename cursor ... on TextMessageDelta { delta } ... on RunFailed { error { code message } } }
}`;

/** Of a run that did not end well: what the app is told. */
function failureIn(text: string): string | null {
  if (!text.includes('"RunFailed"')) return null;
  return /"code":"(\w+)"/.exec(text)?.[1] ?? 'RunFailed';
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const response = await fetch(url).catch(() => null);
    await response?.body?.cancel();
    if (response !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing answers at ${url}`);
}
