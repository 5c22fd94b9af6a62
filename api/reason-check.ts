/** Whether the reasons of a decision can be understood by whoever has to act on them. */
import { findApplication } from '../db/applications.ts';
import { pinnedPolicyOf } from '../db/policies.ts';
import { knownReasons } from '../db/reasons.ts';
import { Failure, type FieldProblem } from '../domain/failures.ts';
import type { ApplicationId } from '../domain/ids.ts';
import type { Actor, Decision, Reason } from '../domain/licensing.ts';
import type { ReasonCatalogue } from '../domain/reasons.ts';
import type { ApiDeps } from './deps.ts';
import { pointerTo } from './field-problems.ts';
import type { Locale } from './request.ts';

interface Asked {
  readonly applicationId: ApplicationId;
  readonly by: Actor;
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  readonly locale: Locale;
}

/**
 * A code of the catalogue that is used for this decision, or the reviewer's own words; and where it points, something that
 * the applicant can find.
 * @throws Failure `reason_unknown`, `invalid_request`
 */
export async function requireGoodReasons({ db }: ApiDeps, asked: Asked): Promise<void> {
  if (asked.reasons.length === 0) return;
  const unknown = unknownReasons(await knownReasons(db), asked);
  if (unknown.length > 0) throw new Failure('reason_unknown', '', { errors: unknown });
  if (asked.reasons.every(({ pointer }) => pointer === undefined)) return;
  // Of a case that they do not see, the process says what is wrong.
  if (!(await findApplication(db, asked.by, asked.applicationId))) return;
  const { checklist } = await pinnedPolicyOf(db, asked.applicationId);
  const lost = lostPointers(asked, [...checklist.map(({ kind }) => kind), 'other']);
  if (lost.length > 0) throw new Failure('invalid_request', '', { errors: lost });
}

function unknownReasons(catalogue: ReasonCatalogue, { decision, reasons, locale }: Asked): FieldProblem[] {
  const known = ({ code }: Reason) =>
    decision === 'approve' ? catalogue.has(code) : catalogue.get(code)?.usedFor.includes(decision) === true;
  return reasons.flatMap((reason, index) =>
    known(reason) || reason.text !== undefined
      ? []
      : [
          {
            pointer: pointerTo(['reasons', index, 'code']),
            code: 'reason_unknown',
            detail: {
              id: 'tidak ada di katalog untuk keputusan ini; pilih kode lain atau sertakan teks',
              en: 'not in the catalogue for this decision; choose another code, or say it in a text',
            }[locale],
          },
        ],
  );
}

const IN_FORM = /^\/form(?:\/(?:[^~]|~[01])*)?$/;

function lostPointers({ reasons, locale }: Asked, kinds: readonly string[]): FieldProblem[] {
  const documents = kinds.map((kind) => pointerTo(['documents', kind]));
  return reasons.flatMap(({ pointer }, index) =>
    pointer === undefined || IN_FORM.test(pointer) || documents.includes(pointer)
      ? []
      : [
          {
            pointer: pointerTo(['reasons', index, 'pointer']),
            code: 'not_allowed',
            detail: {
              id: `/form/… atau salah satu dari: ${documents.join(', ')}`,
              en: `/form/… or one of: ${documents.join(', ')}`,
            }[locale],
          },
        ],
  );
}
