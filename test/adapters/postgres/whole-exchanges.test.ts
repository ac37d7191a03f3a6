import { describe, expect, it } from 'vitest';
import { exchangeWhole } from '../../../adapters/postgres/whole-exchanges.ts';

/** As much of PGlite as the socket server uses; `pieces` are written one after the other into one buffer, as PostgreSQL's are. */
function database(pieces: readonly string[]) {
  const ran: string[] = [];
  const buffer = new Uint8Array(300_000);
  const instance: Parameters<typeof exchangeWhole>[0] = {
    async execProtocolRawStream(message, { onRawData }) {
      ran.push(Buffer.from(message).toString());
      for (const piece of pieces) onRawData(buffer.subarray(0, Buffer.from(buffer.buffer).write(piece)));
    },
  };
  exchangeWhole(instance);
  return { instance, ran };
}

/** What comes back for each message, part by part. */
async function say({ instance }: ReturnType<typeof database>, ...messages: string[]): Promise<string[][]> {
  const answers: string[][] = [];
  for (const message of messages) {
    const parts: string[] = [];
    await instance.execProtocolRawStream(Buffer.from(message), {
      onRawData: (part) => parts.push(Buffer.from(part).toString()),
    });
    answers.push(parts);
  }
  return answers;
}

describe('what the driver sends as one', () => {
  it('is run as one, and answered in one part', async () => {
    const opened = database(['1', '2', 'D', 'Z']);
    expect(await say(opened, 'Parse', 'Bind', 'Describe', 'Execute', 'Sync', 'Query')).toEqual([
      ...[[], [], [], [], ['12DZ'], ['12DZ']],
    ]);
    expect(opened.ran).toEqual(['ParseBindDescribeExecuteSync', 'Query']);
  });

  it('is answered in parts when there is much to tell', async () => {
    const long = 'x'.repeat(20_000);
    const [parts] = await say(database([long, long, 'Z']), 'Query');
    expect(parts?.map(({ length }) => length)).toEqual([20_000, 20_001]);
    expect(parts?.join('') === `${long}${long}Z`).toBe(true);
  });

  it('keeps its order around a piece that is longer than any part', async () => {
    const long = 'x'.repeat(290_000);
    const [parts] = await say(database(['1', long, 'Z']), 'Query');
    expect(parts?.map(({ length }) => length)).toEqual([1, 290_000, 1]);
    expect(parts?.join('') === `1${long}Z`).toBe(true);
  });

  it('is forgotten with the connection that broke off in the middle of it', async () => {
    const opened = database(['Z']);
    const startUp = '\0\0\0\x08';
    await say(opened, 'Parse', 'Bind', startUp, 'Parse', 'Sync');
    expect(opened.ran).toEqual([startUp, 'ParseSync']);
  });
});
