import { string } from '@oclif/core/flags';

/** `--confirm DBNAME`, of every command that can replace the live database. */
export const confirmFlag = string({
  summary: 'Name of the live database, to say that it may be replaced.',
  helpValue: 'DBNAME',
});
