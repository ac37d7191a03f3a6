import { SingleBar } from 'cli-progress';

/** Shows how far an ingest has come. `total` grows while files are still being read. */
export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

const lineEveryMs = 5_000;
const lineEveryPercent = 10;

/** A bar on a terminal; elsewhere (a log, CI) a line every 10 % or 5 s. */
export function createProgress(stream: NodeJS.WriteStream, now: () => number = () => performance.now()): Progress {
  return stream.isTTY ? barProgress(stream) : lineProgress(stream, now);
}

function barProgress(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    format: 'Ingesting [{bar}] {value}/{total} documents, {duration_formatted}',
    stream,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, done);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

function lineProgress(stream: NodeJS.WritableStream, now: () => number): Progress {
  let lastPercent = 0;
  let lastAt = now();
  let lastLine = '';
  return {
    update(done, total) {
      const percent = total === 0 ? 0 : Math.floor((done / total) * 100);
      const due = now() - lastAt >= lineEveryMs || percent - lastPercent >= lineEveryPercent || done === total;
      const line = `ingested ${done} of ${total} documents (${percent}%)\n`;
      if (!due || line === lastLine) return;
      stream.write(line);
      lastLine = line;
      lastPercent = percent;
      lastAt = now();
    },
    stop() {},
  };
}
