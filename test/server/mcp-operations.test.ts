import { expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { readOperation } from '../../server/mcp/operations/read-operation.ts';

it.each([
  ['{', /Syntax Error.*\(line 1, column 2\)/],
  ['{ nothing }', /Cannot query field "nothing".*\(line 1, column 3\)/],
  ['query A { __typename } query B { __typename }', /expected one operation, got 2/],
  ['subscription { runEvents(runId: "0b0f1c5e-5f5d-4a5b-9d0a-000000000000") { seq } }', /got a subscription/],
  ['{ search(query: "a") { summary { text } ... @defer { timings { totalMs } } } }', /@defer/],
])('an operation that cannot be a tool is a fault: %s', (document, fault) => {
  const read = readOperation(schema, document);
  expect(Array.isArray(read) ? read.join('\n') : read).toMatch(fault);
});
