import { readdirSync, readFileSync } from 'node:fs';
import { parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../core/contracts/gateway-error.ts';
import { schema } from '../../schema/index.ts';
import { graphiqlTabs } from '../../server/pages/graphiql-tabs.ts';

const docs = new URL('../../docs/', import.meta.url);
const read = (url: URL): string => readFileSync(url, 'utf8');
const pages = new Map([
  ['README.md', read(new URL('../../README.md', import.meta.url))],
  ...readdirSync(docs)
    .filter((file) => file.endsWith('.md'))
    .map((file): [string, string] => [file, read(new URL(file, docs))]),
]);
const operations = [...pages].flatMap(([page, text]) =>
  [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, operation = '']) => ({ page, operation })),
);

describe('the docs', () => {
  it.each(operations)('show an operation that the schema takes: $page, $operation', ({ operation }) => {
    expect(validate(schema, parse(operation), specifiedRules)).toEqual([]);
  });

  it.each(graphiqlTabs.map(({ query }) => query))('open GraphiQL with a tab that the schema takes: %s', (query) => {
    expect(validate(schema, parse(query))).toEqual([]);
  });

  it('say of every error code when it comes', () => {
    const errors = pages.get('errors.md') ?? '';
    expect(errorCodes.filter((code) => !errors.includes(`## ${code}`))).toEqual([]);
  });

  it('name only files that are there', () => {
    const broken = [...pages].flatMap(([page, text]) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap(([, target = '']) => {
        const base = page === 'README.md' ? new URL('../../', import.meta.url) : docs;
        try {
          readdirSync(new URL(target.endsWith('/') ? target : `${target}/`, base));
          return [];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? [] : [`${page}: ${target}`];
        }
      }),
    );
    expect(broken).toEqual([]);
  });
});
