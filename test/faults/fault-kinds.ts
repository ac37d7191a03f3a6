import { setTimeout as sleep } from 'node:timers/promises';
import type { Proxy as Link } from '../helpers/proxy.ts';
import type { Fleet, Member } from './fleet.ts';

export type FaultKind =
  | 'kill'
  | 'terminate'
  | 'freeze'
  | 'redis-restart'
  | 'redis-emptied'
  | 'postgres-restart'
  | 'postgres-crash'
  | 'cut'
  | 'silence'
  | 'half-close'
  | 'delay'
  | 'vendor-cut';

/** How often each comes, relative to the others. */
export const weights: Readonly<Record<FaultKind, number>> = {
  kill: 4,
  terminate: 3,
  freeze: 4,
  'redis-restart': 2,
  'redis-emptied': 1,
  'postgres-restart': 1,
  'postgres-crash': 1,
  cut: 4,
  silence: 2,
  'half-close': 2,
  delay: 2,
  'vendor-cut': 1,
};

/** Makes the fault happen and mends it; resolves when everything is as it was. `random` is in 0..1. */
export async function inject(kind: FaultKind, fleet: Fleet, random: () => number, leaseMs: number): Promise<void> {
  const member = fleet.members[Math.floor(random() * fleet.members.length)];
  if (member === undefined) return;
  const link = random() < 0.5 ? member.redisLink : member.databaseLink;
  const downMs = 100 + random() * 1_500;
  switch (kind) {
    case 'kill':
      await member.kill();
      await sleep(downMs);
      return restart(member);
    case 'terminate': {
      const exitCode = await member.stop();
      await restart(member);
      if (exitCode !== 0) throw new Error(`instance ${member.name} ended with ${exitCode} at SIGTERM`);
      return;
    }
    case 'freeze':
      return member.freeze(leaseMs * (1.2 + random() * 1.5));
    case 'redis-restart':
      await fleet.redis.kill();
      await sleep(downMs);
      return fleet.redis.start('kept');
    case 'redis-emptied':
      await fleet.redis.kill();
      await sleep(downMs);
      return fleet.redis.start('lost');
    case 'postgres-restart':
    case 'postgres-crash':
      await fleet.postgres.stop(kind === 'postgres-crash' ? 'immediate' : 'fast');
      await sleep(downMs);
      return fleet.postgres.start();
    case 'cut':
      link.cut();
      return;
    case 'silence':
      return forAWhile(link, (faulty) => faulty.holdAll(), downMs);
    case 'half-close':
      link.halfClose();
      return;
    case 'delay':
      link.delay(20 + random() * 80);
      await sleep(downMs);
      link.delay(0);
      return;
    case 'vendor-cut':
      fleet.vendorLink.cut();
      return;
  }
}

async function forAWhile(link: Link, fault: (link: Link) => void, ms: number): Promise<void> {
  fault(link);
  await sleep(ms);
  link.flow();
}

/** A database that is away at that moment makes a start fail: then it is tried again. */
async function restart(member: Member): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await member.start();
    } catch (error) {
      if (attempt >= 5) throw error;
      await sleep(500);
    }
  }
}
