import * as v from 'valibot';
import { type ModuleEnding, moduleReport } from './module-report.ts';

export interface ReportReader {
  /** @throws Error for what is no report: somebody else wrote to the descriptor. */
  write(chunk: Buffer): void;
  /** How the module ended; the first that is reported stands. */
  ending(): ModuleEnding | undefined;
}

type Enqueue = Extract<v.InferOutput<typeof moduleReport>, { enqueue: unknown }>['enqueue'];

/** A payload of 16 MiB, every byte of it escaped. */
const longestLine = 128 * 1024 * 1024;

/** Reads what the process of a module reports, line by line. */
export function readReports(options: { onEnqueue(followUp: Enqueue): void; onEnding(): void }): ReportReader {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let ending: ModuleEnding | undefined;
  const take = (line: string) => {
    const report = v.parse(moduleReport, JSON.parse(line));
    if (ending !== undefined) return;
    if ('enqueue' in report) {
      options.onEnqueue(report.enqueue);
      return;
    }
    ending = report.ended;
    options.onEnding();
  };
  return {
    write(chunk) {
      let rest = chunk;
      for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
        const line = Buffer.concat([...chunks, rest.subarray(0, end)]).toString('utf8');
        [chunks, bytes] = [[], 0];
        rest = rest.subarray(end + 1);
        take(line);
      }
      bytes += rest.length;
      if (bytes > longestLine) throw new Error('a line without end');
      if (rest.length > 0) chunks.push(rest);
    },
    ending: () => ending,
  };
}
