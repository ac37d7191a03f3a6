import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import { IncomingReply } from '../../../adapters/openai/incoming-reply.ts';

describe('an incoming reply', () => {
  test('tells its reader what came before it read, and the end that came before', () => {
    const { reply, reader, heard } = incoming();
    reply.feed(Buffer.from('one '));
    reply.feed(Buffer.from('two'));
    reply.close(null);
    expect(reply.over).toBe(true);
    reply.read(reader);
    expect(heard).toEqual(['one two', 'ended']);
  });

  test('tells whole characters, wherever the packets part them', () => {
    const { reply, reader, heard } = incoming();
    reply.read(reader);
    const bytes = Buffer.from('a€b');
    for (const byte of bytes) reply.feed(Buffer.from([byte]));
    reply.close(null);
    expect(heard).toEqual(['a', '€', 'b', 'ended']);
  });

  test('tells a break after what came before it, once, and nothing behind it', () => {
    const { reply, reader, heard } = incoming();
    reply.read(reader);
    reply.feed(Buffer.from('half'));
    reply.close(new Error('other side closed'));
    reply.close(null);
    reply.destroy();
    expect(heard).toEqual(['half', 'broke: other side closed']);
  });

  test('is text as a whole, or rejects', async () => {
    const whole = incoming().reply;
    const broken = incoming().reply;
    const texts = [whole.text(), broken.text()];
    whole.feed(Buffer.from('{}'));
    whole.close(null);
    broken.close(new Error('other side closed'));
    await expect(texts[0]).resolves.toBe('{}');
    await expect(texts[1]).rejects.toThrow('other side closed');
  });

  test('closes the connection when it is left before its end', () => {
    const { reply, aborts } = incoming();
    reply.destroy();
    expect(aborts).toHaveLength(1);
  });

  test('has the first of several values of a header, and all of them for the SDK', () => {
    const { reply } = incoming({ 'x-request-id': 'a', 'set-cookie': ['b=1', 'c=2'] });
    expect(reply.get('x-request-id')).toBe('a');
    expect(reply.get('set-cookie')).toBe('b=1');
    expect(reply.get('retry-after')).toBeNull();
    expect(reply.headers().getSetCookie()).toEqual(['b=1', 'c=2']);
  });
});

function incoming(headers: Record<string, string | string[]> = {}) {
  const aborts: Error[] = [];
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    abort: (reason) => void aborts.push(reason),
    pause: () => {},
    resume: () => {},
  };
  const heard: string[] = [];
  const reader = {
    text: (text: string) => void heard.push(text),
    ended: () => void heard.push('ended'),
    broke: (error: Error) => void heard.push(`broke: ${error.message}`),
  };
  return { reply: new IncomingReply(200, headers, controller), reader, heard, aborts };
}
