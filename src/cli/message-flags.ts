import { integer, string } from '@oclif/core/flags';
import { moment } from './moment-flag.ts';

/** A flag that may be repeated. */
export function several(summary: string, helpValue: string) {
  return string({ summary, helpValue, multiple: true, multipleNonGreedy: true, default: [] });
}

/** Of `send-mail`: what the message is made of, beside its text and html. */
export const contentFlags = {
  attach: several('File to attach; repeat it for more; "-" reads it from standard input.', 'FILE'),
  'attach-name': string({ summary: 'Name of what --attach - reads.', helpValue: 'NAME' }),
  inline: several('Picture that the html shows as cid:CID; repeat it for more.', 'CID=FILE'),
  template: string({
    summary: 'Template of [mail] templates, instead of --text and --html.',
    helpValue: 'NAME',
    exclusive: ['text', 'html'],
  }),
  data: string({
    summary: 'JSON object for the template; @FILE reads it from a file, @- from standard input.',
    helpValue: 'JSON',
    dependsOn: ['template'],
  }),
  locale: string({ summary: "The reader's language, for the template: pl, pt_BR.", dependsOn: ['template'] }),
  importance: string({ summary: "What the reader's program shows.", options: ['high', 'low'] }),
};

/** Of `send-mail --queue`: when it leaves. */
export const queueFlags = {
  priority: integer({
    summary: 'With --queue: lower leaves sooner.',
    min: -32_768,
    max: 32_767,
    helpValue: 'N',
    dependsOn: ['queue'],
  }),
  'not-before': moment({ summary: 'With --queue: not sent before this time.', dependsOn: ['queue'] }),
  expires: moment({ summary: 'With --queue: not sent after this time.', dependsOn: ['queue'] }),
};
