import { countByKind, describeCounts } from './count-by-kind.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every task that is due is of a kind that some host runs. */
export const checkUnknownKinds: DoctorCheck = {
  name: 'unknown-kinds',
  needs: 'identity',
  async run({ openDatabase }) {
    const counts = await countByKind({ db: await openDatabase(), which: 'due of unknown kind' });
    const [first] = counts;
    if (first === undefined) return { status: 'ok', text: 'every kind that is due is known to a host' };
    return {
      status: 'fail',
      text: `due of a kind that no host knows: ${describeCounts(counts)}`,
      fix: `Add [tasks.kinds.${first.name}] to tend.toml of a host that shall run it, or cancel: tend tasks --kind ${first.name}`,
    };
  },
};
