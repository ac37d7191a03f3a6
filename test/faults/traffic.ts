import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { resume } from '../../examples/resume.ts';
import type { Fleet } from './fleet.ts';
import { followQuery, type SavedRun, type SeenEvent, savedQuery, wrongs } from './observed-run.ts';

export interface RunPlan {
  readonly kind: 'chat' | 'cancelled' | 'unstored' | 'ingest';
  /** Tokens that the vendor answers with. */
  readonly tokens: number;
  readonly followers: number;
}

export interface RunOutcome {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly status: string;
  readonly wrongs: readonly string[];
  readonly events: number;
  readonly resets: number;
  readonly gaps: number;
  /** From the start to the last event of the slowest follower. */
  readonly tookMs: number;
}

const requestTimeoutMs = 4_000;
const endlessAfterMs = 90_000;

/** One operation at any instance that answers it; an instance that is gone or stands still is given up. */
export async function ask<TData>(fleet: Fleet, query: string, variables: Record<string, unknown>): Promise<TData> {
  for (let attempt = 0; ; attempt += 1) {
    const urls = fleet.urls();
    const url = urls[Math.floor(Math.random() * urls.length)]?.replace(/^ws/, 'http');
    try {
      if (url === undefined) throw new Error('no instance runs');
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      const { data, errors } = (await response.json()) as {
        data?: TData;
        errors?: { message: string; extensions?: { code?: string; retryable?: boolean } }[];
      };
      if (!errors && data) return data;
      if (!errors?.every(({ extensions }) => extensions?.retryable)) throw new Refused(JSON.stringify(errors));
      throw new Error(JSON.stringify(errors));
    } catch (error) {
      if (error instanceof Refused || attempt > 200) throw error;
      await sleep(100 + Math.random() * 200);
    }
  }
}

class Refused extends Error {}

const startChat = `mutation FaultsChat($input: StartChatInput!) { startChat(input: $input) { run { runId } } }`;
const startIngest = `mutation FaultsIngest($input: StartIngestInput!) { startIngest(input: $input) { run { runId } } }`;
const cancelRun = `mutation FaultsCancel($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }`;

/**
 * Starts one run, at the instances of `startedAt`, follows it from as many clients, and holds what they saw against what was
 * saved. `mayHaveGaps` is asked at its end.
 */
export async function observe(
  fleet: Fleet,
  plan: RunPlan,
  mayHaveGaps: (sinceMs: number) => boolean,
  startedAt: Fleet = fleet,
): Promise<RunOutcome> {
  const runId = randomUUID();
  const began = Date.now();
  const seen = Array.from({ length: plan.followers }, (): SeenEvent[] => []);
  const problems: string[] = [];
  try {
    // Some clients follow before the run is there.
    const starting = start(startedAt, plan, runId);
    const following = seen.map((events, index) => follow(fleet, runId, events, index));
    await starting;
    if (plan.kind === 'cancelled') {
      await sleep(Math.random() * 1_500);
      await ask(fleet, cancelRun, { runId });
    }
    const ends = await Promise.allSettled(following);
    for (const end of ends) {
      if (end.status === 'fulfilled') continue;
      // What is not stored dies with the only place where it is.
      if (plan.kind === 'unstored' && mayHaveGaps(began) && describe(end.reason).includes('NOT_FOUND')) continue;
      problems.push(`a follower: ${describe(end.reason)}`);
    }
  } catch (error) {
    problems.push(describe(error));
  }
  const tookMs = Date.now() - began;
  const saved = (await ask<{ run: SavedRun | null }>(fleet, savedQuery, { runId })).run;
  const gaps = mayHaveGaps(began);
  for (const [index, events] of seen.entries()) {
    // What is not stored may be gone.
    if (plan.kind === 'unstored' && saved === null) continue;
    problems.push(...wrongs(events, saved, gaps).map((wrong) => `follower ${index}: ${wrong}`));
  }
  const all = seen.flat();
  return {
    ...{ runId, plan, wrongs: problems, tookMs },
    status: saved?.status ?? 'GONE',
    events: all.length,
    resets: all.filter(({ __typename }) => __typename === 'TextMessageReset').length,
    gaps: all.filter(({ __typename }) => __typename === 'StreamGap').length,
  };
}

async function start(fleet: Fleet, { kind, tokens }: RunPlan, runId: string): Promise<void> {
  if (kind === 'ingest') {
    const documents = Array.from({ length: 40 }, (_, index) => ({
      externalId: `${runId}-${index}`,
      text: `Document ${index} of ${runId}.`,
    }));
    await ask(fleet, startIngest, { input: { runId, in: 'faults', documents } });
    return;
  }
  const message = `say ${tokens} words of ${runId}`;
  await ask(fleet, startChat, { input: { runId, message, ...(kind === 'unstored' ? { store: false } : {}) } });
}

async function follow(fleet: Fleet, runId: string, events: SeenEvent[], index: number): Promise<void> {
  // Each begins at another instance.
  const urls = () => {
    const all = fleet.urls();
    return all.map((_, place) => all[(place + index) % all.length] ?? '');
  };
  const until = Date.now() + endlessAfterMs;
  for (let tries = 0; ; tries += 1) {
    try {
      for await (const event of resume<SeenEvent>(urls, followQuery, { runId }, { breaks: 60, silenceMs: 2_000 })) {
        events.push(event);
        if (Date.now() > until) throw new Error(`no end after ${endlessAfterMs} ms`);
      }
      return;
    } catch (error) {
      // Its start may take longer than a follower waits for it.
      if (tries < 20 && events.length === 0 && describe(error).includes('NOT_FOUND')) continue;
      throw error;
    }
  }
}

export function describe(error: unknown): string {
  if (error instanceof Error) return `${error.message}`.slice(0, 300);
  return JSON.stringify(error).slice(0, 300);
}
