import { TendError } from '../../errors.ts';
import type { TemplateFault } from './template-node.ts';

/** A fault as an error about the file it is in. Permanent: it fails the one message, and no other that waits. */
export function faultyTemplate(file: string, fault: TemplateFault): TendError {
  return new TendError('MAIL_TEMPLATE_INVALID', `The template ${file}:${fault.line} ${fault.message}.`, {
    isPermanent: true,
    cause: fault,
  });
}
