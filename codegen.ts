import type { CodegenConfig } from '@graphql-codegen/cli';

// Typed operations for whoever writes `graphql(…)` in the tests and the examples. The schema is printed first: see npm run generate.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['test/**/*.ts', 'examples/**/*.ts', '!**/generated/**'],
  ignoreNoDocuments: true,
  generates: {
    'examples/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        scalars: { DateTime: 'string', JSON: 'unknown', UUID: 'string', SafeInt: 'number' },
      },
    },
  },
  emitLegacyCommonJSImports: false,
  importExtension: '.ts',
};

export default config;
