import { memoryRunSignals } from '../../../adapters/memory/run-signals.ts';
import { runSignalsContract } from '../../contract/run-signals.ts';

runSignalsContract('memoryRunSignals', async () => memoryRunSignals(), { alone: true });
