import { existsSync, readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { chatSubscription, replyOperation } from '../../../server/cli/chat/chat-operations.ts';
import { cancelRunOperation } from '../../../server/cli/client/cancel-run.ts';
import {
  createCollectionOperation,
  ingestRunOperation,
  ingestSubscription,
  startIngestOperation,
} from '../../../server/cli/ingest/ingest-operations.ts';
import { searchOperation } from '../../../server/cli/search/search-operation.ts';
import { fakeSchema } from './fake-gateway.ts';

const documents = [
  chatSubscription,
  replyOperation.document,
  cancelRunOperation.document,
  createCollectionOperation.document,
  ingestRunOperation.document,
  ingestSubscription,
  startIngestOperation.document,
  searchOperation.document,
];
const generated = new URL('../../../schema.graphql', import.meta.url);

describe('the operations of the commands', () => {
  it.each(documents)('fit the fake gateway that the other tests use: %s', (document) => {
    expect(validate(fakeSchema, parse(document))).toEqual([]);
  });

  it.skipIf(!existsSync(generated)).each(documents)('fit the gateway itself: %s', (document) => {
    expect(validate(buildSchema(readFileSync(generated, 'utf8')), parse(document))).toEqual([]);
  });
});
