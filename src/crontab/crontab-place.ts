/** A crontab that lines can be put into. */
export interface CrontabPlace {
  /** As messages name it: `the crontab of cms`, `/etc/cron.d/tend`. */
  name: string;
  /** Whose lines name a user: a file in /etc/cron.d. */
  namesUser: boolean;
  /** Empty where there is none yet. */
  read(): Promise<string>;
  /** In one step: whoever reads sees the old one or the new one. */
  write(text: string): Promise<void>;
}
