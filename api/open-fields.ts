/** What the people of a company may change in an application now: all of a draft; of a correction, what was asked for. */
import type { Application, Form } from '../db/applications.ts';
import type { Knex } from '../db/connection.ts';
import { correctionOf, submittedForm } from '../db/corrections.ts';
import { closedChanges, documentPointer, isOpen, type OpenFields, openFields } from '../domain/corrections.ts';
import { Failure } from '../domain/failures.ts';
import type { Locale } from './request.ts';

type Case = Pick<Application, 'id' | 'state' | 'round'>;

/** JSON Pointers, each with what is below it; null = everything, empty = nothing. */
export async function openFieldsOf(db: Knex, { id, state, round }: Case): Promise<OpenFields> {
  if (state === 'draft') return null;
  if (state !== 'correction_requested') return [];
  return openFields((await correctionOf(db, id, round))?.reasons ?? []);
}

/** @throws Failure `field_not_open` when the form differs from the submitted one in what was not asked for */
export async function requireOpenForm(db: Knex, application: Case, form: Form, locale: Locale): Promise<void> {
  if (application.state !== 'correction_requested') return;
  const open = await openFieldsOf(db, application);
  if (open === null) return;
  const closed = closedChanges(await submittedForm(db, application.id), form, open);
  if (closed.length > 0) throw notOpen(closed, open, locale);
}

/** @throws Failure `field_not_open` when documents of this kind were not asked for */
export async function requireOpenDocument(db: Knex, application: Case, kind: string, locale: Locale): Promise<void> {
  if (application.state !== 'correction_requested') return;
  const open = await openFieldsOf(db, application);
  const pointer = documentPointer(kind);
  if (!isOpen(pointer, open)) throw notOpen([pointer], open ?? [], locale);
}

const notOpen = (closed: readonly string[], open: readonly string[], locale: Locale) =>
  new Failure(
    'field_not_open',
    `Only what the office asked for can be changed now, and ${closed.join(', ')} is not part of it. See errors for what is.`,
    {
      errors: open.map((pointer) => ({
        pointer,
        code: 'open',
        detail: { id: 'boleh diubah sekarang', en: 'may be changed now' }[locale],
      })),
    },
  );
