/** Enough words for a heading to begin a new passage. */
const sentencesPerSection = 4;

/**
 * Documents that tell from outside whether they are whole: every sentence carries its number, how many there are, and the
 * revision, so that the passages of one document must hold each number of one revision.
 */
export interface CrashDocument {
  readonly externalId: string;
  readonly title: string;
  readonly text: string;
  /** `textRevision` is the text's; a revision may change the metadata alone. */
  readonly metadata: { readonly revision: number; readonly textRevision: number };
}

export interface StoredDocument {
  readonly externalId: string;
  readonly metadata: { readonly revision: number; readonly textRevision: number };
  readonly passages: {
    readonly totalCount: number;
    readonly edges: readonly { readonly node: { readonly position: number; readonly text: string } }[];
  };
}

/** Two to five sections, each a passage of its own; another number of them for every revision of the text. */
export function crashDocument(externalId: string, revision: number, textRevision: number): CrashDocument {
  const sections = 2 + (textRevision % 4);
  const sentences = sections * sentencesPerSection;
  const sentence = (number: number) =>
    `Sentence ${number} of ${sentences} in revision ${textRevision} of ${externalId} says that the keeper lights the lamp.`;
  const text = Array.from({ length: sections }, (_, section) => {
    const first = section * sentencesPerSection + 1;
    const lines = Array.from({ length: sentencesPerSection }, (_, index) => sentence(first + index));
    return `## Section ${section + 1}\n\n${lines.join(' ')}`;
  }).join('\n\n');
  return { externalId, title: `About ${externalId}`, text, metadata: { revision, textRevision } };
}

/** What is wrong with a stored document; nothing when it is whole. */
export function documentFaults({ externalId, metadata, passages }: StoredDocument): string[] {
  const nodes = passages.edges.map(({ node }) => node);
  const faults: string[] = [];
  if (nodes.length !== passages.totalCount) faults.push(`${nodes.length} of ${passages.totalCount} passages`);
  if (nodes.length < 2) faults.push('expected more than one passage');
  if (nodes.some(({ position }, index) => position !== index)) {
    faults.push(`passages at ${nodes.map(({ position }) => position).join()}`);
  }
  const { text } = crashDocument(externalId, metadata.revision, metadata.textRevision);
  const expected = new Set(sentencesOf(text));
  const found = new Set(nodes.flatMap((node) => sentencesOf(node.text)));
  const missing = [...expected].filter((sentence) => !found.has(sentence));
  const foreign = [...found].filter((sentence) => !expected.has(sentence));
  if (missing.length > 0) faults.push(`without ${missing.length} of ${expected.size} sentences (${missing[0]})`);
  if (foreign.length > 0) faults.push(`with ${foreign.length} foreign sentences (${foreign[0]})`);
  return faults.map((fault) => `document ${externalId}, revision ${metadata.revision}: ${fault}`);
}

const sentencesOf = (text: string): string[] => text.match(/Sentence \d+ of \d+ in revision \d+ of [\w-]+/g) ?? [];
