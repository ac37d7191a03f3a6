import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { atMost, type Figure } from './lines.ts';
import { holdStreams, plainCalls } from './measures.ts';
import type { Peer, RunningPeers } from './peers.ts';
import type { BenchVendor } from './vendor-control.ts';

const held = 400;
const tokensBefore = 20;
/** Longer than the grace of an unwatched run (5 s). */
const goneAfterMs = 7_000;

export const heldTitle = `${held} streams held open, then left`;
export const heldFigures: readonly Figure[] = [
  { key: 'kbPerStream', title: 'memory per stream, KB', digits: 0, aim: atMost(70, 'KB') },
  { key: 'openUpstreams', title: 'upstreams open 7 s after the clients left', digits: 0, aim: atMost(0, '') },
];

/** In a process of its own each time: what a process has once had, it does not give back. */
export async function measureHeld(
  start: () => Promise<RunningPeers>,
  pick: (peers: readonly Peer[]) => Peer | undefined,
  vendor: BenchVendor,
): Promise<Readonly<Record<string, number>>> {
  await using running = await start();
  const peer = pick(running.peers);
  if (peer?.pid == null) throw new Error('only a process has a memory');
  await vendor.behave({});
  await plainCalls(peer, 16, 1_500);
  await vendor.behave({ tokens: tokensBefore, tokensPerSecond: 20, stamp: 'due', end: 'silent' });
  await warmUp(peer);
  await pause(1_500);
  const before = await residentKb(peer.pid);
  const streams = await holdStreams(peer, held);
  await pause((tokensBefore / 20) * 1_000 + 1_500);
  const kbPerStream = ((await residentKb(peer.pid)) - before) / held;
  streams.leave();
  await pause(goneAfterMs);
  return { kbPerStream, openUpstreams: (await vendor.state()).open };
}

/** So that what a first stream compiles and allocates once is not taken for the streams' own. */
async function warmUp(peer: Peer): Promise<void> {
  const streams = await holdStreams(peer, 20);
  await pause(500);
  streams.leave();
}

async function residentKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}
