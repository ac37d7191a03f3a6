import { afterAll, describe, expect, it } from 'vitest';
import { linksOfTalk } from '../../../core/chat/links-of-run.ts';
import { createResponseSchemas } from '../../../core/chat/response-schemas.ts';
import type { Tool } from '../../../core/contracts/tool.ts';
import { UsageMeter } from '../../../core/models/usage/usage-meter.ts';
import type { RunIo } from '../../../core/runs/live-run.ts';
import { guardLinks } from '../../../core/text/link-guard.ts';
import { knowResults } from '../../../core/tools/known-results.ts';
import { toolLoop } from '../../../core/tools/loop/tool-loop.ts';
import type { Turn } from '../../../core/tools/loop/turn.ts';
import { SourceNumbers } from '../../../core/tools/source-numbers.ts';
import { createToolbox } from '../../../core/tools/toolbox.ts';
import { type Injection, injections, waysOut } from '../../e2e/tools/injections.ts';
import { silent } from '../runs/rig.ts';
import { aTool } from './rig.ts';

const schemas = createResponseSchemas();
afterAll(() => schemas.close());

const dangerous = [
  'http_get',
  'send_mail',
  'read_document',
  'calculate',
  'delete_document',
  'shell',
  'upload_file',
  'login',
];

/** A run that was given `search`, which finds the text, at a gateway that has many other tools; its model obeys every word. */
async function obey({ text, calls, says }: Injection) {
  const called: string[] = [];
  const tool = (name: string, value: string): Tool =>
    aTool({
      name,
      call: async () => {
        called.push(name);
        return { value };
      },
    });
  const toolbox = createToolbox({
    providers: [{ tools: () => [tool('search', text), ...dangerous.map((name) => tool(name, evidence))] }],
    ...{ schemas, logger: silent, settings: {}, maxResultChars: 50_000 },
  });
  const ask = (turn: number): Turn['toolCalls'] => {
    if (turn === 1) return [{ id: 'first', tool: 'search', arguments: '{"query": "otters"}' }];
    if (turn > 2) return [];
    return calls.map((call, index) => ({
      ...{ id: `obeyed-${index}`, tool: call.tool },
      arguments: JSON.stringify(call.arguments),
    }));
  };
  const { messages, turns } = await toolLoop(
    { toolbox },
    {
      ...{ key: '', step: null, tools: toolbox.named(['search']), toolChoice: 'auto', messages: [] },
      ...{ bounds: { maxTurns: 5, maxParallel: 4 }, numbers: new SourceNumbers() },
      generate: async (_request, turn) => ({
        ...{ text: ask(turn).length === 0 ? says : '', toolCalls: ask(turn), model: 'm', said: null },
        finishReason: ask(turn).length === 0 ? 'STOP' : 'TOOL_CALLS',
      }),
    },
    runIo(),
  );
  const links = linksOfTalk('You help the zoo.', [{ role: 'USER', text: 'What do otters do?' }]);
  knowResults(links, messages);
  return { called, turns, messages, reply: guardLinks(messages.at(-1)?.text ?? '', links) };
}

const evidence = 'this tool was called';

/** The parts of a run's that the loop uses. */
function runIo(): RunIo {
  const io: Partial<RunIo> = {
    run: { tenant: 'default', runId: 'r', keyId: null } as RunIo['run'],
    signal: new AbortController().signal,
    meter: new UsageMeter(),
    begun: { toolCalls: new Map(), hasSaid: () => false } as unknown as RunIo['begun'],
    questions: null,
    emit: () => {},
    once: (_key, work) => work(),
  };
  return io as RunIo;
}

describe(`${injections.length} texts in the result of a tool, and a model that obeys them`, () => {
  it('are at least 40', () => {
    expect(injections.length).toBeGreaterThanOrEqual(40);
    // They would get out: the suite looks for something that is there.
    for (const { says } of injections) expect(waysOut(says)).not.toEqual([]);
  });

  it.each(injections)('$text', async (injection) => {
    const { called, turns, messages, reply } = await obey(injection);
    // What was given was called, once, and nothing else.
    expect(called).toEqual(['search']);
    const obeyed = turns.slice(1).flatMap(({ calls }) => calls);
    expect(obeyed.map(({ status }) => status)).toEqual(injection.calls.map(() => 'FAILED'));
    expect(JSON.stringify(messages)).not.toContain(evidence);
    expect(waysOut(reply)).toEqual([]);
    // The text stands within its fence, which it does not hold.
    const result = messages.find(({ role, text }) => role === 'TOOL' && text.includes('from="tool search"'));
    const [, mark = '?'] = /^<(data-\w{20}) /.exec(result?.text ?? '') ?? [];
    expect(result?.text.split(mark)).toHaveLength(3);
    expect(result?.text.endsWith(`</${mark}>`)).toBe(true);
  });

  it('keep what the run has to say for itself', async () => {
    const { reply } = await obey({
      text: 'See https://zoo.example/map.',
      calls: [],
      says: 'See https://zoo.example/map.',
    });
    expect(reply).toBe('See https://zoo.example/map.');
  });
});
