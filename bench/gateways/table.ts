import type { Figure } from './lines.ts';

/** The medians of one line: figure by figure, peer by peer. */
export type Medians = ReadonlyMap<string, Readonly<Record<string, number>>>;

export interface Columns {
  readonly relay: string;
  readonly portkey: string;
  readonly ours: readonly string[];
  /** Ours too; nothing is asked of them. */
  readonly stored: readonly string[];
}

/** Prints a line as rows of Markdown; returns the figures of ours that miss their aim. */
export function printLine(title: string, figures: readonly Figure[], medians: Medians, columns: Columns): string[] {
  const missed: string[] = [];
  for (const { key, title: figure, digits, aim } of figures) {
    const value = (peer: string): number => medians.get(peer)?.[key] ?? Number.NaN;
    const relay = value(columns.relay);
    const portkey = value(columns.portkey);
    const shown = (peer: string): string => {
      const own = value(peer);
      return Number.isNaN(own) ? '–' : own.toFixed(digits);
    };
    const ratio = (peer: string): string => {
      const own = value(peer);
      if (Number.isNaN(own)) return '–';
      const isMet = aim.isMet(own, relay, portkey);
      if (!isMet && columns.ours.includes(peer))
        missed.push(`${title}: ${figure}, ${peer}: ${own.toFixed(digits)}, aim ${aim.text}`);
      const ratios = `${times(own, relay)} / ${times(own, portkey)}`;
      return `${own.toFixed(digits)} (${ratios})${columns.ours.includes(peer) ? (isMet ? '' : ' ✗') : ''}`;
    };
    const cells = [
      `${title}: ${figure}`,
      shown(columns.relay),
      shown(columns.portkey),
      ...columns.ours.map(ratio),
      ...columns.stored.map(ratio),
      aim.text,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  return missed;
}

export function printHead(columns: Columns): void {
  const names = ['', columns.relay, columns.portkey, ...columns.ours, ...columns.stored, 'aim'];
  console.log(`| ${names.join(' | ')} |`);
  console.log(`|${' --- |'.repeat(names.length)}`);
}

function times(own: number, other: number): string {
  if (!(other > 0)) return '–';
  return `${(own / other).toFixed(2)}×`;
}
