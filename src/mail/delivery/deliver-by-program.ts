import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import type { ProgramTransport } from '../servers/mail-transport.ts';
import { cleanReply } from '../smtp/smtp-reply.ts';
import { GatedBody } from './gated-body.ts';
import type { FailureClass, MailOutcome } from './mail-outcome.ts';

export interface DeliverByProgramOptions {
  transport: ProgramTransport;
  from: string;
  to: readonly string[];
  raw: Buffer;
  beforeEnd: () => Promise<void>;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  log: Log;
}

/**
 * Hands a message to a program that works as sendmail(8) does: recipients as arguments, the message with bare line feeds
 * on its standard input, an exit status of sysexits(3) as the answer. An address can never be read as an option, since
 * they stand behind `--`.
 */
export async function deliverByProgram(options: DeliverByProgramOptions): Promise<MailOutcome> {
  const { transport, from, to, signal, log, env } = options;
  const text = Buffer.from(options.raw.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  const body = new GatedBody(text, options.beforeEnd);
  try {
    const { outputTail } = await runTool({
      file: transport.program,
      args: ['-i', '-f', from === '' ? '<>' : from, '--', ...to],
      baseEnv: env,
      input: body,
      signal,
      timeoutMs: transport.timeoutMs,
      log,
    });
    const recipients = to.map((address) => ({ address, status: 'accepted' as const }));
    const said = cleanReply(outputTail);
    return { state: 'answered', recipients, reply: said === '' ? `taken by ${transport.program}` : said };
  } catch (error) {
    await body.gateSettled();
    if (body.failure !== undefined) throw body.failure;
    return explain(options, toError(error), body.hasReleasedEnd);
  } finally {
    body.destroy();
  }
}

/** sysexits(3) as sendmail(8) uses them; what is not named here is the program's own trouble. */
const classes: Readonly<Record<number, FailureClass>> = {
  ...{ 64: 'configuration', 65: 'message', 67: 'recipient', 68: 'recipient' },
  ...{
    69: 'server',
    70: 'server',
    73: 'server',
    74: 'server',
    75: 'server',
    77: 'configuration',
    78: 'configuration',
  },
};

function explain(
  { transport, to }: DeliverByProgramOptions,
  error: Error,
  isEndReleased: boolean,
): MailOutcome {
  const status = 'toolExitCode' in error ? error.toolExitCode : undefined;
  const { program } = transport;
  if (typeof status !== 'number' && isEndReleased) {
    return {
      state: 'unknown',
      recipients: [],
      reason: `the message was handed to ${program} completely, and then ${error.message}`,
    };
  }
  const failureClass = typeof status === 'number' ? (classes[status] ?? 'server') : 'server';
  const message = `The mail program ${program} did not take the message: ${cleanReply(error.message)}`;
  if (failureClass === 'message' || failureClass === 'recipient') {
    const code = failureClass === 'message' ? 'MAIL_MESSAGE_INVALID' : 'MAIL_RECIPIENTS_REFUSED';
    const refusal = new TendError(code, message, { isPermanent: true, cause: error });
    const recipients = to.map((address) => ({
      address,
      status: 'refused' as const,
      reply: cleanReply(error.message),
    }));
    return { state: 'not-delivered', recipients, error: refusal, failureClass };
  }
  const code = failureClass === 'configuration' ? 'MAIL_NOT_CONFIGURED' : 'MAIL_SERVER_TEMPORARY';
  const trouble = new TendError(code, message, { cause: error });
  return { state: 'not-delivered', recipients: [], error: trouble, failureClass };
}
