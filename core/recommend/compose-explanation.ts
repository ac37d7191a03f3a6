import type { Evidence } from './evidence.ts';

/** Why one item is recommended. */
export interface Explained {
  /** The strongest first. */
  readonly because: readonly Evidence[];
  readonly isPopular: boolean;
}

const verbs = { PURCHASE: 'bought', LIKE: 'liked', VIEW: 'looked at' } as const;
const mostNamed = 2;

/** A sentence without a model: what speaks for the item, in words. `titleOf` gives null for a document that is gone. */
export function composeExplanation({ because, isPopular }: Explained, titleOf: (id: string) => string | null): string {
  const deeds = because.flatMap(({ of }) => {
    const title = 'documentId' in of ? titleOf(of.documentId) : null;
    return 'documentId' in of && title !== null ? [{ verb: verbs[of.kind], title }] : [];
  });
  const interests = because.flatMap(({ of }) => ('interest' in of ? [of.interest] : []));
  const [first] = deeds;
  const named = deeds.filter(({ verb }) => verb === first?.verb).map(({ title }) => `“${title}”`);
  const said = [
    ...(first === undefined ? [] : [`because you ${first.verb} ${listed(named)}`]),
    ...(interests.length === 0 ? [] : [`it matches your interest in ${listed(interests)}`]),
  ];
  if (said.length === 0) return isPopular ? 'Popular with others at the moment.' : 'New here.';
  const sentence = said.join(', and ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

const listed = (items: readonly string[]): string => items.slice(0, mostNamed).join(' and ');
