import { availableParallelism, cpus } from 'node:os';
import { budgetRounds, type Round } from './rounds.ts';

/**
 * 500 calls at once over two gateways against a budget of exactly 50 worst cases; then with one of the two killed. Needs PostgreSQL
 * with pgvector and redis-server. Exits with 1 when the cap is passed, something is left aside, or other than 50 are served.
 */
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}\n`,
);
const { cap, worstCase, burst, killed, meanwhile, afterwards } = await budgetRounds(500);
const usd = (millionths: number) => `$${(millionths / 1e6).toFixed(6)}`;
const line = (name: string, { served, refused, died, failed, reported, spent, held }: Round) =>
  console.log(
    `${name.padEnd(34)} served ${served}, refused ${refused}, died ${died}, failed ${failed.length}; vendor reported ${usd(reported)}, spent ${usd(spent)}, set aside ${usd(held)}`,
  );
console.log(`budget ${usd(cap)} = 50 worst cases of ${usd(worstCase)}`);
line('500 calls over two gateways', burst);
line('another day, one of them killed', killed);
line('500 more, after its lease', meanwhile);
line('500 more, when its calls are over', afterwards);
const faults = [
  burst.served === 50 ? [] : [`${burst.served} were served, not 50`],
  burst.spent === burst.reported ? [] : ['what is spent is not what the vendor reported'],
  meanwhile.served === 0 ? [] : [`${meanwhile.served} were served of what calls of the dead one could still use`],
  afterwards.served + killed.served === 50 ? [] : [`${afterwards.served + killed.served} were served, not 50`],
  afterwards.spent === killed.reported + afterwards.reported ? [] : ['after the kill something is lost or leaked'],
  afterwards.held === 0 ? [] : ['something is still set aside'],
  [burst, killed, meanwhile, afterwards].every((round) => round.spent + round.held <= cap)
    ? []
    : ['the cap was passed'],
  [burst, killed, meanwhile, afterwards].flatMap(({ failed }) => failed),
].flat();
for (const fault of new Set(faults.map((text) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…'))))
  console.log(`FAULT: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
