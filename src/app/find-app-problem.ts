import { TendError } from '../errors.ts';
import { type CheckAppOptions, checkApp } from './check-app.ts';

/** Why the application is not healthy at this moment: what the check of `[app]` says, asked without waiting for better. */
export async function findAppProblem(
  options: Omit<CheckAppOptions, 'withinMs'>,
): Promise<TendError | undefined> {
  const check = { ...options.check, steady: 1 };
  try {
    await checkApp({ ...options, check, withinMs: 0 });
    return undefined;
  } catch (error) {
    if (error instanceof TendError && error.code !== 'TERMINATED' && error.code !== 'INTERRUPTED')
      return error;
    throw error;
  }
}
