import { cancelled } from './sql-error.ts';

/** `work`, or CANCELLED as soon as the signal is aborted; `work` itself goes on, and its outcome is not looked at. */
export async function untilAborted<T>(
  name: string,
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: () => void,
): Promise<T> {
  if (!signal) return await work;
  const abort = Promise.withResolvers<never>();
  const listener = () => {
    onAbort?.();
    abort.reject(cancelled(name, signal));
  };
  signal.addEventListener('abort', listener, { once: true });
  if (signal.aborted) listener();
  try {
    return await Promise.race([work, abort.promise]);
  } finally {
    signal.removeEventListener('abort', listener);
  }
}
