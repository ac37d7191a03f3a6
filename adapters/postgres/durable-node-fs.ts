import { fdatasyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = Parameters<NodeFS['init']>;
type InitResult = ReturnType<NodeFS['init']>;

/** What Emscripten gives to a file operation; `nfd` is the file descriptor of the system. */
interface Stream {
  readonly nfd: number;
}

/**
 * PGlite's directory on disk, where fsync means it. Emscripten's NODEFS has no fsync, so that a commit would be
 * acknowledged while it is only in the kernel's memory: safe against kill -9, lost with the power.
 */
export class DurableNodeFS extends NodeFS {
  override async init(...[database, options]: Init): InitResult {
    const { emscriptenOpts } = await super.init(database, options);
    const preRun = [emscriptenOpts.preRun ?? []].flat();
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [
          ...preRun,
          (module) => {
            // Emscripten does not declare the operations of a file system; `fsync` is looked up there by name.
            const nodeFileSystem = module.FS.filesystems.NODEFS as unknown as {
              stream_ops: { fsync?: (stream: Stream) => number };
            };
            nodeFileSystem.stream_ops.fsync = (stream) => {
              fdatasyncSync(stream.nfd);
              return 0;
            };
          },
        ],
      },
    };
  }
}
