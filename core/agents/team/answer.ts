import type { FinishReason } from '../../contracts/model-provider.ts';
import type { CitationRecord } from '../../contracts/run-event.ts';
import type { CallOptions } from '../../models/models.ts';
import { once } from '../steps/keep.ts';
import { StepWaits } from '../tool-work.ts';
import { callOf, stepMeter, type Work } from '../work.ts';

interface KeptAnswer {
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  readonly model: string;
  readonly finishReason: FinishReason;
}

/**
 * The last step of a run: its output, written once in all attempts. `write` streams it; `rescue` says something when a
 * limit comes before anything was written.
 */
export async function answer(
  work: Work,
  key: string,
  {
    write,
    rescue,
    model,
  }: {
    readonly write: (call: CallOptions) => Promise<FinishReason>;
    readonly rescue: () => void;
    readonly model: string;
  },
): Promise<void> {
  const { output, io, board, budget } = work;
  board.start(key);
  const meter = stepMeter(work);
  let isNew = false;
  const kept = await once(io, 'answer', async (): Promise<KeptAnswer> => {
    isNew = true;
    output.start(key, { isKept: false });
    const reason = await inTime(work, () => write(callOf(work, meter)), rescue).catch((error: unknown) => {
      if (error instanceof StepWaits) board.waits(key, error.usage);
      throw error;
    });
    output.end(budget.limit === null || reason === 'CONTENT_FILTER' ? reason : 'LENGTH');
    const { text, citations, model: writer, finishReason } = output.record(model);
    return { text, citations, model: writer, finishReason };
  });
  if (!isNew) {
    output.start(key, { isKept: true });
    output.writtenBy(kept.model);
    output.write(kept.text, kept.citations);
    output.end(kept.finishReason);
  }
  const finishedAt = new Date().toISOString();
  const { text, citations } = kept;
  board.finish(key, { status: 'SUCCEEDED', output: text, citations, usage: meter.usage, finishedAt });
}

/** What had come when a limit was reached stays; a run that is stopped by somebody is thrown on. */
async function inTime(
  { io, budget, output }: Work,
  write: () => Promise<FinishReason>,
  rescue: () => void,
): Promise<FinishReason> {
  try {
    return await write();
  } catch (error) {
    if (io.signal.aborted || !budget.hasEnded(error)) throw error;
    if (output.isEmpty) rescue();
    return 'LENGTH';
  }
}
