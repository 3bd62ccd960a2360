import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandOutcome } from './command-context.ts';

/** What became of one of several addresses. */
interface ChangedAddress {
  address: string;
  result: string;
  error?: string;
}

/**
 * Applies `change` to each address; one that is none does not keep the others from it. A single one is then the
 * command's error; of several, exit 3 says that some could not be read.
 */
export async function changeAddresses(
  given: readonly string[],
  change: (address: string) => Promise<string>,
): Promise<CommandOutcome> {
  const addresses: ChangedAddress[] = [];
  for (const address of given) {
    try {
      addresses.push({ address, result: await change(address) });
    } catch (error) {
      if (!(error instanceof TendError) || given.length === 1) throw error;
      addresses.push({ address, result: 'refused', error: error.message });
    }
  }
  const isAnyRefused = addresses.some(({ error }) => error !== undefined);
  return {
    result: { addresses },
    exitCode: isAnyRefused ? exitCodes.someFailed.code : exitCodes.ok.code,
    render(output) {
      for (const { address, result, error } of addresses) {
        if (error === undefined) output.summary(`${address}: ${result}`);
        else output.warn(error);
      }
    },
  };
}
