/**
 * Milliseconds of processor time that this thread has spent since: unlike the time on the wall, what else a machine is busy with
 * does not change them.
 */
export function cpuStopwatch(): () => number {
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
}
