import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import type { Locale, MailTemplateCode } from '../domain/mail.ts';

export interface StoredTemplate<Code extends MailTemplateCode> {
  readonly code: Code;
  readonly locale: Locale;
  readonly version: number;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The words in force: the newest version. */
export async function newestTemplate<Code extends MailTemplateCode>(
  db: Knex,
  code: Code,
  locale: Locale,
): Promise<StoredTemplate<Code>> {
  const found: StoredTemplate<Code> | undefined = await db('mail_templates')
    .where({ code, locale })
    .orderBy('version', 'desc')
    .first('code', 'locale', 'version', 'subject', 'text', 'html');
  if (!found) throw new Error(`there is no mail template ${code} in ${locale}`);
  return found;
}

/** Puts in place the letters an installation starts with; one that is there already, edited or not, stays as it is. */
export async function ensureTemplates(
  db: Knex,
  templates: readonly Omit<StoredTemplate<MailTemplateCode>, 'version'>[],
): Promise<void> {
  const rows = templates.map(({ code, locale, subject, text, html }) => ({
    code,
    locale,
    version: 1,
    subject,
    text,
    html,
  }));
  await db('mail_templates').insert(rows).onConflict().ignore();
}

export interface Delivery {
  readonly id: string;
  readonly messageId: string;
  /** Expired: what it carried was over before it could leave. */
  readonly state: 'queued' | 'sent' | 'refused' | 'expired';
}

export interface NewDelivery {
  readonly key: string;
  readonly template: MailTemplateCode;
  readonly templateVersion: number;
  readonly locale: Locale;
  /** Null: to an address that is nobody's yet. */
  readonly userId: UserId | null;
  readonly applicationId: ApplicationId | null;
  readonly messageIdHost: string;
  readonly at: string;
}

/** Records the intent to write, once for a key; a repeat finds the same row and the same Message-ID. */
export async function queueDelivery(db: Knex, delivery: NewDelivery): Promise<Delivery> {
  const id = randomUUID();
  await db('mail_deliveries')
    .insert({
      id,
      key: delivery.key,
      message_id: `<${id}@${delivery.messageIdHost}>`,
      template: delivery.template,
      template_version: delivery.templateVersion,
      locale: delivery.locale,
      user_id: delivery.userId,
      application_id: delivery.applicationId,
      state: 'queued',
      queued_at: delivery.at,
    })
    .onConflict('key')
    .ignore();
  const row: Delivery | undefined = await db('mail_deliveries')
    .where({ key: delivery.key })
    .first({ id: 'id', messageId: 'message_id', state: 'state' });
  if (!row) throw new Error(`mail ${delivery.key} was not queued`);
  return row;
}

/** Notes a try and what the server answered; `sent` and `refused` are ends. */
export async function noteTry(
  db: Knex,
  id: string,
  result: { state: Exclude<Delivery['state'], 'expired'>; answer: string; sentAt: Date | null },
): Promise<void> {
  await db('mail_deliveries')
    .where({ id })
    .whereNot('state', 'sent')
    .update({
      state: result.state,
      tries: db.raw('tries + 1'),
      last_answer: result.answer.slice(0, 500),
      sent_at: result.sentAt,
    });
}

/** Notes that no more tries are made, and why. */
export async function noteExpired(db: Knex, id: string, why: string): Promise<void> {
  await db('mail_deliveries').where({ id, state: 'queued' }).update({ state: 'expired', last_answer: why });
}
