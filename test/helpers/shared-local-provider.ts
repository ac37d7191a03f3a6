import { type LocalProvider, type LocalProviderOptions, localProvider } from '../../adapters/local/local-provider.ts';

let shared: LocalProvider | undefined;

/** The local provider of all gateways of this process: loading its model takes two seconds of processor time. Never closed. */
export function sharedLocalProvider(options: LocalProviderOptions = {}): LocalProvider {
  if (options.workers !== undefined && options.workers !== 1) return localProvider(options);
  shared ??= localProvider({ workers: 1, load: 'at-first-call' });
  const { ready } = shared;
  if (options.load !== 'at-first-call') {
    // What is asked of it first loads it, and `ready` says so.
    void shared.embed({ model: 'all-MiniLM-L6-v2', texts: ['ready'] }, AbortSignal.timeout(60_000)).catch(() => {});
  }
  return { ...shared, ready, close: async () => {} };
}
