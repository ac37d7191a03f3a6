import { describe, inject, it } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Test files of a project whose server is missing, and why it is. */
    skipped: { readonly files: readonly string[]; readonly why: string };
  }
}

/* The test file of a project whose server is missing: shows what is skipped, without loading it. */
const { files, why } = inject('skipped');
describe.skip(why, () => {
  it.each(files)('%s', () => {});
});
