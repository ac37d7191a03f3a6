import { describe, expect, it } from 'vitest';
import { type FakeGatewayOptions, startFakeGateway } from './fake-gateway.ts';
import type { FakeRun } from './fake-run.ts';
import { runCommand } from './run-command.ts';
import { SluiceProcess } from './run-sluice.ts';

const answer = ['Sleeper ', 'berths ', 'are made ', 'up at ', '21:00 [1]', '.'];
const source = {
  number: 1,
  quote: 'Sleeper berths are\nmade up between 21:00 and 22:30.',
  title: 'The night train handbook',
  url: 'https://example.org/handbook',
};
const printedSource =
  '\nSources\n[1] The night train handbook\n    "Sleeper berths are made up between 21:00 and 22:30."\n    https://example.org/handbook\n';

function say(run: FakeRun, deltas: readonly string[]): void {
  for (const delta of deltas) run.append({ __typename: 'TextMessageDelta', delta });
}
function reply(run: FakeRun): void {
  say(run, answer);
  run.append({ __typename: 'SourceCited', citation: source });
  run.append({ __typename: 'RunFinished' });
}
const chat = (url: string, ...args: string[]) => runCommand(['chat', ...args, '--url', url]);

describe('sluice chat', () => {
  it('streams the answer, then shows its sources and how to go on', async () => {
    await using gateway = await startFakeGateway({ chat: reply });
    const { code, stdout, stderr } = await chat(gateway.url, 'When?', '--model', 'gpt-x', '--in', 'trains');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${answer.join('')}\n${printedSource}`,
      stderr: '\nto go on: sluice chat --conversation conversation-1\n',
    });
    expect(gateway.chats).toMatchObject([{ message: 'When?', model: 'gpt-x', retrieval: { in: 'trains' } }]);
  });

  it('goes on with a conversation, without retrieval when told so, with the key on the socket', async () => {
    await using gateway = await startFakeGateway({ chat: reply, apiKey: 'sl_secret' });
    const { code } = await chat(
      gateway.url,
      'And?',
      '--no-retrieval',
      '--conversation',
      'c-7',
      '--api-key',
      'sl_secret',
    );
    expect(code).toBe(0);
    expect(gateway.chats[0]).toMatchObject({ conversationId: 'c-7' });
    expect(gateway.chats[0]).not.toHaveProperty('retrieval');
    expect(gateway.authorizations).toEqual(['Bearer sl_secret']);
  });

  it('says what to do when the socket is refused', async () => {
    await using gateway = await startFakeGateway({ chat: reply, apiKey: 'sl_secret' });
    const { code, stderr } = await chat(gateway.url, 'When?');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sluice: the gateway refused the connection \(.+\): set SLUICE_API_KEY, or give --api-key\n$/,
    );
  });

  // The second socket goes before it can subscribe.
  it('resumes after the last cursor when the socket drops, and prints no token twice', async () => {
    await using gateway = await startFakeGateway({ chat: reply, cutAfter: [3, 0, 2] });
    const { code, stdout } = await chat(gateway.url, 'When?');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${answer.join('')}\n${printedSource}` });
    expect(gateway.chats).toHaveLength(1);
    expect(gateway.subscribed.map(({ after }) => after)).toEqual([null, 'cursor-3', 'cursor-5']);
  });

  it('says that an answer starts again, and drops its sources', async () => {
    await using gateway = await startFakeGateway({
      chat(run) {
        say(run, ['Wrong ', 'start']);
        run.append({ __typename: 'SourceCited', citation: { ...source, title: 'Dropped' } });
        run.append({ __typename: 'TextMessageReset', reason: 'another model took over' });
        say(run, ['Right.']);
        run.append({ __typename: 'RunFinished' });
      },
    });
    const { stdout } = await chat(gateway.url, 'When?');
    expect(stdout).toBe('Wrong start\n\n[the answer starts again: another model took over]\n\nRight.\n');
  });

  it('adds what a gap left out, from the run', async () => {
    await using gateway = await startFakeGateway({
      chat(run) {
        say(run, answer.slice(0, 2));
        run.append({ __typename: 'StreamGap', resumeFrom: 'cursor-9' });
        say(run, answer.slice(4));
        run.facts = { ...run.facts, reply: { text: answer.join(''), citations: [source] } };
        run.append({ __typename: 'RunFinished' });
      },
    });
    const { code, stdout } = await chat(gateway.url, 'When?');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${answer.join('')}\n${printedSource}` });
  });

  it('keeps a character whole that two tokens share', async () => {
    await using gateway = await startFakeGateway({
      chat(run) {
        say(run, ['bee \ud83d', '\udc1d!']);
        run.append({ __typename: 'RunFinished' });
      },
    });
    expect((await chat(gateway.url, 'Which?')).stdout).toBe('bee 🐝!\n');
  });

  it('exits 1 with the code and message of a run that failed', async () => {
    await using gateway = await startFakeGateway({
      chat(run) {
        say(run, ['Half an']);
        run.append({
          __typename: 'RunFailed',
          error: { code: 'UPSTREAM_TIMEOUT', message: 'no token for 30 s' },
        });
      },
    });
    const { code, stdout, stderr } = await chat(gateway.url, 'When?');
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: 'Half an\n',
      stderr: 'sluice: UPSTREAM_TIMEOUT: no token for 30 s\n',
    });
  });

  it('cancels the run on Ctrl-C and exits 130', async () => {
    await using gateway = await startFakeGateway({ chat: (run) => say(run, ['Thinking about it']) });
    await using sluice = new SluiceProcess(['chat', 'When?', '--url', gateway.url]);
    await sluice.printed('Thinking');
    sluice.kill('SIGINT');
    expect(await sluice.ended()).toEqual({ code: 130, signal: null, stdout: 'Thinking about it\n', stderr: '' });
    expect(gateway.cancels).toEqual([gateway.chats[0]?.runId]);
  });
});

describe('a conversation', () => {
  const echo: FakeGatewayOptions['chat'] = (run, { message }) => {
    if (message === 'fail') {
      run.append({ __typename: 'RunFailed', error: { code: 'UPSTREAM_UNAVAILABLE', message: 'no model answers' } });
    } else {
      say(run, [`You said ${message}`]);
      if (message !== 'wait') run.append({ __typename: 'RunFinished' });
    }
  };

  it('answers line by line in one conversation, and goes on after a failure', async () => {
    await using gateway = await startFakeGateway({ chat: echo });
    const { code, stdout, stderr } = await runCommand(['chat', '--url', gateway.url], { input: 'one\n\nfail\nthree' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'You said one\nYou said three\n' });
    expect(stderr).toBe(
      [
        'sluice: UPSTREAM_UNAVAILABLE: no model answers',
        '',
        'to go on: sluice chat --conversation conversation-1',
        'sluice: not every message was answered',
        '',
      ].join('\n'),
    );
    expect(gateway.chats.map(({ message, conversationId }) => [message, conversationId])).toEqual([
      ['one', undefined],
      ['fail', 'conversation-1'],
      ['three', 'conversation-1'],
    ]);
  });

  it('ends a piped one on Ctrl-C, with the run cancelled', async () => {
    await using gateway = await startFakeGateway({ chat: echo });
    await using sluice = new SluiceProcess(['chat', '--url', gateway.url], { input: 'wait\nnever sent\n' });
    await sluice.printed('You said wait');
    sluice.kill('SIGINT');
    expect((await sluice.ended()).code).toBe(130);
    expect(gateway.chats.map(({ message }) => message)).toEqual(['wait']);
    expect(gateway.cancels).toHaveLength(1);
  });
});
