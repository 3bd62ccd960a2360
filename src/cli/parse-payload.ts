import { text } from 'node:stream/consumers';
import { TendError } from '../errors.ts';

/**
 * A payload given on the command line, or on standard input for `-`.
 *
 * @throws TendError PAYLOAD_INVALID unless it is a JSON object.
 */
export async function parsePayload(given: string): Promise<Record<string, unknown>> {
  const source = given === '-' ? await text(process.stdin) : given;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new TendError(
      'PAYLOAD_INVALID',
      `The payload is not JSON: ${error instanceof Error ? error.message : ''}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TendError('PAYLOAD_INVALID', 'The payload must be a JSON object such as {"name": "value"}.');
  }
  return value as Record<string, unknown>; // an object that JSON.parse made has string keys only
}
