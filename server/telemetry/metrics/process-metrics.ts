import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { EventLoopDelay } from '../event-loop-delay.ts';

/**
 * Of this process, under the names that everybody's dashboards know. Own rather than prom-client's defaults: those leave an observer
 * of the garbage collector and a timer behind for each registry, and a second monitor of the event loop.
 */
export function processMetrics(registry: Registry, version: string, eventLoopDelay: EventLoopDelay): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_build_info',
    help: 'Always 1; the label is the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
    registers,
  }).set(Math.round(Date.now() / 1000 - process.uptime()));
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of the process.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const memory = (name: string, help: string, part: 'rss' | 'heapUsed' | 'heapTotal' | 'external') =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(part === 'rss' ? process.memoryUsage.rss() : process.memoryUsage()[part]);
      },
    });
  memory('process_resident_memory_bytes', 'Resident memory size in bytes.', 'rss');
  memory('nodejs_heap_size_used_bytes', 'Used heap of the main thread.', 'heapUsed');
  memory('nodejs_heap_size_total_bytes', 'Heap of the main thread.', 'heapTotal');
  memory(
    'nodejs_external_memory_bytes',
    'Memory outside of the heap: buffers, vectors, the embedded database.',
    'external',
  );
  new Gauge({
    name: 'sluice_event_loop_delay_p99_seconds',
    help: 'How late the event loop ran, over the last half minute or so.',
    registers,
    collect() {
      this.set(eventLoopDelay.p99Ms / 1000);
    },
  });
  let since = performance.eventLoopUtilization();
  new Gauge({
    name: 'sluice_event_loop_utilization',
    help: 'Share of the time since the last scrape that the event loop was busy, 0 to 1.',
    registers,
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, since).utilization);
      since = now;
    },
  });
}
