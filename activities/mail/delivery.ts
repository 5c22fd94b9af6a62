/**
 * How a letter leaves. The intent is recorded before the mail server hears of it and the Message-ID never changes, so a
 * repeated activity sends nothing twice, with the one exception that SMTP leaves open: the server took the mail and its
 * answer was lost. Then the repeat goes out under the same Message-ID, by which receivers tell it for what it is.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { type Delivery, newestTemplate, noteExpired, noteTry, queueDelivery } from '../../db/mail.ts';
import type { OfficeZone } from '../../domain/calendar.ts';
import type { ApplicationId, UserId } from '../../domain/ids.ts';
import type { Locale, MailTemplateCode, MailVariables } from '../../domain/mail.ts';
import type { ActivityDeps } from '../deps.ts';
import { renderMail } from './render.ts';
import { MailError, type OutgoingMail } from './transport.ts';

export type DeliveryDeps = Pick<ActivityDeps, 'db' | 'mail' | 'publicUrl'>;

export type Attachments = OutgoingMail['attachments'];

export interface Envelope<Code extends MailTemplateCode> {
  /** One mail for each key, ever. */
  readonly key: string;
  readonly template: Code;
  readonly locale: Locale;
  readonly userId: UserId | null;
  readonly applicationId: ApplicationId | null;
  readonly email: string;
  /** Who signs, and in whose zone times are said. */
  readonly office: { readonly officeName: string; readonly zone: OfficeZone };
  readonly at: string;
  /** Null or absent: it may leave at any time. */
  readonly expiresAt?: Date | null;
}

export interface Contents<Code extends MailTemplateCode> {
  readonly variables: MailVariables[Code];
  readonly attachments: Attachments;
}

/**
 * @param contents asked for only when there is something to send
 * @returns whether it was sent, now or before. @throws ApplicationFailure `mail_delayed` when it is to be tried again
 */
export async function sendOnce<Code extends MailTemplateCode>(
  deps: DeliveryDeps,
  envelope: Envelope<Code>,
  contents: () => Promise<Contents<Code>>,
): Promise<{ sent: boolean }> {
  const template = await newestTemplate(deps.db, envelope.template, envelope.locale);
  const delivery = await queueDelivery(deps.db, {
    ...envelope,
    templateVersion: template.version,
    messageIdHost: new URL(deps.publicUrl).hostname,
  });
  if (delivery.state !== 'queued') return { sent: delivery.state === 'sent' };
  if (envelope.expiresAt && envelope.expiresAt <= new Date()) {
    await noteExpired(
      deps.db,
      delivery.id,
      `not sent: what it carries was over at ${envelope.expiresAt.toISOString()}`,
    );
    return { sent: false };
  }
  const { variables, attachments } = await contents();
  const mail = renderMail(template, variables, {
    locale: envelope.locale,
    publicUrl: deps.publicUrl,
    officeName: envelope.office.officeName,
    timeZone: envelope.office.zone,
  });
  return deliver(deps, delivery, { ...mail, to: envelope.email, attachments });
}

async function deliver(
  { db, mail }: DeliveryDeps,
  delivery: Delivery,
  letter: Omit<OutgoingMail, 'messageId'>,
): Promise<{ sent: boolean }> {
  try {
    const { response } = await mail.send({ ...letter, messageId: delivery.messageId });
    await noteTry(db, delivery.id, { state: 'sent', answer: response, sentAt: new Date() });
    return { sent: true };
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    const refused = error.kind === 'permanent';
    await noteTry(db, delivery.id, { state: refused ? 'refused' : 'queued', answer: error.message, sentAt: null });
    // An address that does not exist must not stop a licence; the delivery log shows it to staff.
    if (refused) return { sent: false };
    throw ApplicationFailure.retryable(
      'The mail server did not take the mail; it will be offered again.',
      'mail_delayed',
    );
  }
}
