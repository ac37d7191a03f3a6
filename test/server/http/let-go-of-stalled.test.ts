import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { letGoOfStalled } from '../../../server/http/let-go-of-stalled.ts';
import { heldResponse } from '../../helpers/held-response.ts';

/** More than the buffers of a connection on this machine hold. */
const tooMuch = Buffer.alloc(64_000_000, 'x');

/** A stream that is let go of when nothing of it was taken for so long, and its reader. */
const stream = (withinMs: number) =>
  heldResponse((response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    letGoOfStalled(response, withinMs);
    response.flushHeaders();
  });

test('a stream whose client reads nothing is closed, and not as if it had ended', async () => {
  await using open = await stream(300);
  open.reader.pause();
  open.response.write(tooMuch);
  await once(open.response, 'close');
  expect(open.response.writableFinished).toBe(false);
  open.reader.resume();
  await expect(once(open.reader, 'end')).rejects.toThrow('aborted');
});

test('one that is read slowly is kept', async () => {
  const withinMs = 1_500;
  await using open = await stream(withinMs);
  const begun = performance.now();
  const sent = new Promise((resolve) => open.response.write(tooMuch, resolve));
  let read = 0;
  for await (const chunk of open.reader) {
    read += (chunk as Buffer).length;
    if (read >= tooMuch.length) break;
    // Thirty-two times: longer in all than the time without any progress.
    if (read % 2_000_000 < (chunk as Buffer).length) await pause(withinMs / 16);
  }
  await sent;
  expect(read).toBe(tooMuch.length);
  expect(performance.now() - begun).toBeGreaterThan(withinMs);
});
