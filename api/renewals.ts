/** What a renewal is judged by, found out by the same rules when it is asked for and when its draft is submitted. */
import type { Application, Form } from '../db/applications.ts';
import { documentsOf } from '../db/documents.ts';
import { type License, renewableOf } from '../db/license-reads.ts';
import { type JudgedType, judgedFor, licenseTypeInForce } from '../db/license-types.ts';
import { noteRenewalKind, type RenewalSource, renewalSource, underWay } from '../db/renewals.ts';
import { canonicalJson } from '../db/submissions.ts';
import { Failure } from '../domain/failures.ts';
import type { LicenseId, Sha256 } from '../domain/ids.ts';
import { statusAt } from '../domain/licenses.ts';
import type { Actor } from '../domain/licensing.ts';
import { type RenewalKind, renewalPolicy, renewalStanding } from '../domain/renewal.ts';
import type { ApiDeps } from './deps.ts';
import { licenseSeenBy } from './license-json.ts';
import { timeJson } from './wire.ts';

type Deps = Pick<ApiDeps, 'db'>;

/** What is asked for. */
export interface RenewalAsked {
  readonly form: Form;
  readonly documents: readonly { readonly kind: string; readonly sha256: Sha256 }[];
  /** The owner says that something has changed, whatever the form says. */
  readonly isDeclaredChanged: boolean;
}

export interface JudgedRenewal {
  readonly kind: RenewalKind;
  /** Its policy is that of this renewal. */
  readonly type: JudgedType;
}

/**
 * @param license as it is now; an application that renews it is not looked at
 * @throws Failure `renewal_not_open` (says from when on), `renewal_not_possible`
 */
export async function judgeRenewal(
  deps: Deps,
  license: License,
  source: RenewalSource,
  asked: RenewalAsked,
  at: Date,
): Promise<JudgedRenewal> {
  const isLate = requireOpen({ ...license, renewal: null }, at);
  const offered = await licenseTypeInForce(deps.db, license.typeCode, at);
  if (!offered) throw notPossible('Licences of this type are not issued any more.');
  const kind = kindOf(source, asked);
  const type = await judgedFor(deps.db, offered, { companyId: license.companyId, form: asked.form }, at);
  return { kind, type: { ...type, policy: renewalPolicy(type.policy, kind, isLate), isTailored: true } };
}

/** @returns whether it is late; @throws Failure unless it can be renewed now */
export function requireOpen(license: License, at: Date): boolean {
  const { state, opensAt } = renewalStanding(renewableOf(license, statusAt(license, at)), at.getTime());
  switch (state) {
    case 'open':
      return false;
    case 'late':
      return true;
    case 'under_way':
    case 'renewed':
      throw underWay(license.renewal?.id ?? null);
    case 'not_open':
      throw notOpen(opensAt);
    case 'closed':
      throw notPossible('It has expired for too long: apply for a new licence.');
    case 'not_possible':
      throw notPossible('');
  }
}

function notOpen(opensAt: number | null): Failure {
  const at = opensAt === null ? null : timeJson(new Date(opensAt));
  return new Failure('renewal_not_open', `Renewal opens at ${at}.`, at === null ? {} : { opensAt: at });
}

const notPossible = (message: string): Failure => new Failure('renewal_not_possible', message);

/** A document that the office has not seen is a change; one whose file is gone by now is none. */
function kindOf(source: RenewalSource, { form, documents, isDeclaredChanged }: RenewalAsked): RenewalKind {
  const nameOf = ({ kind, sha256 }: RenewalAsked['documents'][number]) => `${kind}/${sha256}`;
  const seen = new Set(source.documents.map(nameOf));
  const isSame =
    !isDeclaredChanged &&
    !source.isHolderChanged &&
    canonicalJson(form) === canonicalJson(source.form) &&
    documents.every((document) => seen.has(nameOf(document)));
  return isSame ? 'unchanged' : 'changed';
}

/**
 * The rules of a draft that is submitted now. What it was begun as does not bind, unless something was declared to have changed.
 * @throws Failure `renewal_not_possible` and its kin
 */
export async function judgeRenewalDraft(
  deps: Deps,
  actor: Actor,
  draft: Application & { readonly renewsId: LicenseId },
  at: Date,
): Promise<JudgedType> {
  const license = await licenseSeenBy(deps, actor, draft.renewsId);
  const [source, documents] = [await renewalSource(deps.db, draft.renewsId), await documentsOf(deps.db, draft.id)];
  const asked = { form: draft.form, documents, isDeclaredChanged: draft.renewal === 'changed' };
  const { kind, type } = await judgeRenewal(deps, license, source, asked, at);
  await noteRenewalKind(deps.db, draft.id, kind);
  return type;
}
