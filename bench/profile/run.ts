import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { plainCalls, streams } from '../gateways/measures.ts';
import { startSluice } from '../gateways/peers.ts';
import { startBenchVendor } from '../gateways/vendor-control.ts';
import { type Profile, timesOf } from './times.ts';

/** Where the processor time of the main thread goes: of plain calls, or of streams. Unstored runs, 64 calls or 40 streams at once. */
const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'calls' },
    seconds: { type: 'string', default: '6' },
    /** Keeps the profile here, for the developer tools of a browser. */
    out: { type: 'string', default: join(tmpdir(), `sluice-${process.pid}.cpuprofile`) },
    top: { type: 'string', default: '40' },
  },
});
const seconds = Number(values.seconds);

await using vendor = await startBenchVendor();
await using running = await startSluice({
  vendorUrl: vendor.url,
  store: false,
  environment: {
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('./sampler.ts', import.meta.url))}`,
    SLUICE_PROFILE: values.out,
  },
});
const [peer, serverSentEvents] = running.peers;
if (peer?.pid == null || serverSentEvents === undefined) throw new Error('there is no process to profile');
await vendor.behave({});
for (let warm = 0; warm < 5_000; warm += (await plainCalls(peer, 64, 1_000)).addedMs.length);
const unprofiled = await plainCalls(peer, 64, 4_000);
let count = 0;
if (values.what === 'calls') {
  process.kill(peer.pid, 'SIGUSR2');
  const { addedMs } = await plainCalls(peer, 64, seconds * 1_000);
  count = addedMs.length;
} else {
  await vendor.behave({ tokens: 300, tokensPerSecond: 100 });
  const chosen = values.what === 'sse' ? serverSentEvents : peer;
  await streams(chosen, 40, 300);
  await vendor.behave({ tokens: seconds * 100, tokensPerSecond: 100 });
  const { cpuUs } = await streams(chosen, 40, seconds * 100);
  console.log(`40 streams × 100 tokens/s: ${cpuUs.toFixed(1)} µs of processor time per token, without the profiler`);
  process.kill(peer.pid, 'SIGUSR2');
  await streams(chosen, 40, seconds * 100);
  count = 40 * seconds * 100;
}
process.kill(peer.pid, 'SIGUSR2');
await pause(1_500);
const profile = JSON.parse(await readFile(values.out, 'utf8')) as Profile;
const { total, places, functions, under } = timesOf(profile);
const unit = values.what === 'calls' ? 'call' : 'token';
console.log(
  `${unprofiled.callsPerSecond.toFixed(0)} calls/s at ${unprofiled.cpuUs.toFixed(0)} µs of processor time each, without the profiler`,
);
console.log(`\nmain thread, profiled: ${(total / count).toFixed(1)} µs per ${unit} (${count} ${unit}s)\n`);
const show = (title: string, times: ReadonlyMap<string, number>, top: number) => {
  console.log(`${title}\n${'-'.repeat(title.length)}`);
  const sorted = [...times].sort(([, left], [, right]) => right - left).slice(0, top);
  for (const [name, us] of sorted) console.log(`${(us / count).toFixed(1).padStart(8)}  ${name}`);
  console.log('');
};
show('self time by place', places, 45);
show('self time by function', functions, Number(values.top));
show('with all that they call, own files', under, Number(values.top));
