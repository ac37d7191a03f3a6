import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { isMainThread, threadName } from 'node:worker_threads';

/**
 * Loaded into the gateway under measure: SIGUSR2 begins a profile of its processor time, and the next one writes it to the file of
 * SLUICE_PROFILE. Not --cpu-prof: that would count the start, which takes longer than what is looked at.
 */
if (isMainThread) {
  const path = process.env['SLUICE_PROFILE'] ?? 'gateway.cpuprofile';
  const session = new Session();
  session.connect();
  let isProfiling = false;
  process.on('SIGUSR2', async () => {
    if (!isProfiling) {
      isProfiling = true;
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
      process.stderr.write(`${threadName} profile begun\n`);
      return;
    }
    isProfiling = false;
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(path, JSON.stringify(profile));
    process.stderr.write('profile written\n');
  });
}
