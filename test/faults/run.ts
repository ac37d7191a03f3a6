import { parseArgs } from 'node:util';
import { faultRun, summary } from './fault-run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Math.floor(Math.random() * 1e9)}` },
    faults: { type: 'string', default: '300' },
    concurrent: { type: 'string', default: '8' },
    kinds: { type: 'string' },
  },
});
console.log(`seed ${values.seed}, ${values.faults} faults, ${values.concurrent} runs at a time\n`);
const result = await faultRun({
  seed: Number(values.seed),
  faults: Number(values.faults),
  concurrent: Number(values.concurrent),
  ...(values.kinds === undefined ? {} : { kinds: values.kinds.split(',') as never }),
  report: (line) => console.log(line),
});
console.log(`\n${summary(result)}`);
const isRight = result.outcomes.every(({ wrongs }) => wrongs.length === 0);
process.exitCode = isRight && result.openCalls + result.underWay + result.broken.length === 0 ? 0 : 1;
