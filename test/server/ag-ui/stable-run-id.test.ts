import { expect, test } from 'vitest';
import { stableRunId } from '../../../server/ag-ui/stable-run-id.ts';

test('a UUID stays itself, in the spelling of the graph', () => {
  expect(stableRunId('default', 'thread', '5D8AD4A8-9A26-4B3C-8A2B-0F5F3A1C7E11')).toBe(
    '5d8ad4a8-9a26-4b3c-8a2b-0f5f3a1c7e11',
  );
});

test('any other text is always the same UUID of version 5, of its tenant and thread', () => {
  const id = stableRunId('default', 'thread', 'run-1');
  // As any implementation of RFC 9562 makes it of the namespace and ["default","thread","run-1"]: it may never change.
  expect(id).toBe('aeb80788-13e4-556e-b229-ade114ab0314');
  const others = [
    stableRunId('default', 'thread', 'run-2'),
    stableRunId('default', 'other', 'run-1'),
    stableRunId('other', 'thread', 'run-1'),
    stableRunId('default', 'thread","run', '1'),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});
