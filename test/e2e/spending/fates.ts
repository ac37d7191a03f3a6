import { randomUUID } from 'node:crypto';
import type { TestGateway } from '../../helpers/gateway.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

/** How a run can go, as far as its cost is concerned. */
export type Fate =
  | 'finished'
  | 'asked twice'
  | 'uncounted'
  | 'cut'
  | 'cancelled'
  | 'cancelled early'
  | 'retried'
  | 'hedged'
  | 'coalesced'
  | 'cached';

export interface Run {
  readonly fate: Fate;
  readonly message: string;
  readonly status: string;
  readonly text: string;
  readonly usage: RunUsage;
}

export interface RunUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  readonly estimated: boolean;
}

const reply =
  'The harbour opens at six in the morning, and the first boats leave before the bakers have put their bread on the sill.';
const tokensBeforeCancel = 9;

/** For the fates that a route decides, each under its own name. */
export const routes = {
  hedged: { targets: [{ model: 'gpt-4.1-mini' }], hedge: { afterMs: 200, maxShare: 1 } },
  cached: { targets: [{ model: 'gpt-4.1-mini' }], cache: { ttlMs: 600_000 } },
};

/** The same question each time. */
const shared: readonly Fate[] = ['coalesced', 'cached'];

export const fateOf = (call: VendorCall): string =>
  /fate: ([a-z ]+), number/.exec(JSON.stringify(call.body))?.[1] ?? '';

/** Makes the vendor treat each run as its message says; the gate ends with the test. */
export function plan(vendor: Vendor, never: Promise<unknown>): void {
  const failed = new Set<string>();
  const slow = new Set<string>();
  vendor.when(() => true, { reply });
  vendor.when((call) => fateOf(call) === 'uncounted', { reply, usage: false });
  vendor.when((call) => fateOf(call) === 'cut', { reply, cutAfter: 11 });
  vendor.when((call) => fateOf(call) === 'cancelled', {
    reply,
    gates: [{ afterTokens: tokensBeforeCancel, opened: never }],
  });
  vendor.when((call) => fateOf(call) === 'cancelled early', { hold: never });
  vendor.when((call) => fateOf(call) === 'coalesced', { reply, latencyMs: 1_500 });
  vendor.when(
    (call) => {
      const message = JSON.stringify(call.body);
      if (fateOf(call) !== 'retried' || failed.has(message)) return false;
      failed.add(message);
      return true;
    },
    { status: 503 },
  );
  vendor.when(
    (call) => {
      const message = JSON.stringify(call.body);
      if (fateOf(call) !== 'hedged' || slow.has(message)) return false;
      slow.add(message);
      return true;
    },
    { hold: never },
  );
}

/** One run of this fate, to its end. */
export async function live(gateway: TestGateway, vendor: Vendor, fate: Fate, number: number): Promise<Run> {
  const runId = randomUUID();
  const message = `fate: ${fate}, number ${shared.includes(fate) ? 'one for all' : number}. When does the harbour open?`;
  const input = {
    ...{ runId, message, retrieval: null, store: false },
    ...(fate === 'coalesced' ? { temperature: 0 } : {}),
    ...(fate in routes ? { model: fate } : {}),
    ...(fate === 'asked twice' ? { responseSchema: { type: 'object', properties: { hour: { type: 'string' } } } } : {}),
  };
  await gateway.data('mutation Start($input: StartChatInput!) { startChat(input: $input) { run { runId } } }', {
    input,
  });
  if (fate === 'cancelled' || fate === 'cancelled early') {
    await cancelInTime(vendor, message, fate === 'cancelled' ? tokensBeforeCancel : 0);
    await gateway.data('mutation Cancel($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }', { runId });
  }
  const { run } = await gateway.data<{ run: Ended }, unknown>(
    `query Ended($runId: UUID!) { run(runId: $runId) {
      finished { status usage { inputTokens outputTokens calls estimated } ... on ChatRun { reply { text } } }
    } }`,
    { runId },
  );
  const { status, usage, reply: said } = run.finished;
  return { fate, message, status, usage, text: said?.text ?? '' };
}

interface Ended {
  readonly finished: {
    readonly status: string;
    readonly usage: RunUsage;
    readonly reply: { readonly text: string } | null;
  };
}

async function cancelInTime(vendor: Vendor, message: string, tokens: number): Promise<void> {
  for (let nth = 1; ; nth += 1) {
    const call = await vendor.waitForCall('/chat/completions', nth);
    if (!JSON.stringify(call.body).includes(message)) continue;
    await vendor.waitForTokens(call, tokens);
    return;
  }
}
