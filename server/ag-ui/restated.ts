import type { SnapshotMessage } from './events.ts';
import { resultId } from './told-calls.ts';

/**
 * The client's messages with those that were told: in the place where it has them already, when an earlier stream of the run told
 * them, and a result behind its call.
 */
export function restated(sent: readonly SnapshotMessage[], told: readonly SnapshotMessage[]): SnapshotMessage[] {
  const rest = new Map(told.map((message) => [message.id, message]));
  const take = (id: string): SnapshotMessage[] => {
    const message = rest.get(id);
    rest.delete(id);
    return message === undefined ? [] : [message];
  };
  const known = new Set(sent.map(({ id }) => id));
  const before = sent
    // Reasoning and activities are the client's own, and kept as long as a snapshot has none of them.
    .filter(({ role }) => role !== 'reasoning' && role !== 'activity')
    .flatMap((message) => {
      const [so = message] = take(message.id);
      return known.has(resultId(message.id)) ? [so] : [so, ...take(resultId(message.id))];
    });
  return [...before, ...rest.values()];
}
