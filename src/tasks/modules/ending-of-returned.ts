import { longestReport, type ModuleEnding } from './module-report.ts';

/**
 * What a module returned, as its evidence. The work is done, so what cannot be evidence is left out, and `warn` is told:
 * failing now would only do it again.
 */
export function endingOfReturned(returned: unknown, warn: (message: string) => void): ModuleEnding {
  if (returned === undefined || returned === null) return { how: 'returned' };
  try {
    const json = JSON.stringify(returned) ?? '';
    const evidence: unknown = json === '' ? undefined : JSON.parse(json);
    if (!isRecord(evidence)) warn(noEvidence(`run returned ${nameOf(evidence)}, and an object was expected`));
    else if (json.length > longestReport.evidenceBytes)
      warn(noEvidence(`it has ${json.length} characters of JSON`));
    else return { how: 'returned', evidence };
  } catch (error) {
    warn(noEvidence(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`));
  }
  return { how: 'returned' };
}

function noEvidence(why: string): string {
  return `what run returned is not kept as evidence: ${why}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return value === undefined ? 'what JSON cannot say' : `a ${typeof value}`;
}
