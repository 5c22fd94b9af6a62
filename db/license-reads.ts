import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, LicenseId, Sha256 } from '../domain/ids.ts';
import type { GrantedBy, LicenseStatus, SuspensionCause } from '../domain/licenses.ts';
import type { Actor, ApplicationState, RenewalTerms } from '../domain/licensing.ts';
import { type Renewable, renewalTermsOf } from '../domain/renewal.ts';
import { type AfterInTime, seenBy, VISIBLE } from './applications.ts';

export interface NamedLicense {
  readonly id: LicenseId;
  readonly number: string;
}

export interface License {
  readonly id: LicenseId;
  readonly number: string;
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly typeCode: string;
  readonly typeName: { readonly id: string; readonly en: string };
  /** As recorded; `statusAt` of domain/licenses.ts says what it is at a moment. */
  readonly status: LicenseStatus;
  /** In the office's words, or a SuspensionCause; null = nothing to say. Not for the public. */
  readonly statusReason: string | null;
  readonly statusChangedAt: Date | null;
  /** What it is suspended for, oldest first. */
  readonly suspendedFor: readonly SuspensionCause[];
  readonly supersededBy: NamedLicense | null;
  /** The one whose next term it is. */
  readonly renews: NamedLicense | null;
  /** Its own next term; it may not have begun. */
  readonly renewedBy: NamedLicense | null;
  readonly isRenewed: boolean;
  /** The application that renews it, unless it came to nothing. */
  readonly renewal: { readonly id: ApplicationId; readonly state: ApplicationState } | null;
  /** By the rules in force now; null = licences of its type are not issued any more. */
  readonly renewalTerms: Partial<RenewalTerms> | null;
  readonly grantedBy: GrantedBy;
  readonly validFrom: Date;
  /** null = valid for life. */
  readonly validUntil: Date | null;
  readonly verifyCode: string;
  readonly certificateSha256: Sha256 | null;
  readonly issuedAt: Date;
}

/** SQL: how the case of the licence `l` was granted, by the record. Its certificate, its page and its letter say the same. */
export const GRANTED_BY = `case
  when exists (select from evidence_packs e where e.application_id = l.application_id) then 'law'
  when exists (select from events e where e.application_id = l.application_id and e.type = 'application.approved') then 'automatic'
  else 'decision' end`;

/** SQL: the application `r` that renews the licence `l`, as the index applications_one_renewal has it. */
export const RENEWS_IT = `r.renews_id = l.id
      and r.state not in ('rejected', 'withdrawn', 'cancelled', 'lapsed_no_response', 'lapsed_unpaid')`;

/** SQL: what the rules in force say of the renewal of licences of the type `t`; null = there are none, or it is not offered. */
export const RENEWAL_TERMS_NOW = `(
           select coalesce(p.policy -> 'renewal', '{}') from license_policies p
            where p.type_code = t.code and t.active and p.effective_from <= now()
            order by p.effective_from desc, p.version desc limit 1)`;

const SELECT = `
  select l.id, l.number, l.application_id as "applicationId", l.company_id as "companyId", c.name as "companyName",
         l.type_code as "typeCode", t.name as "typeName", l.status, l.status_reason as "statusReason",
         l.status_changed_at as "statusChangedAt",
         array(select s.cause from license_suspensions s where s.license_id = l.id and s.to_at is null order by s.id) as "suspendedFor",
         case when n.id is not null then json_build_object('id', n.id, 'number', n.number) end as "supersededBy",
         case when b.id is not null then json_build_object('id', b.id, 'number', b.number) end as "renews",
         case when x.id is not null then json_build_object('id', x.id, 'number', x.number) end as "renewedBy",
         x.id is not null as "isRenewed",
         case when r.id is not null then json_build_object('id', r.id, 'state', r.state) end as renewal,
         ${RENEWAL_TERMS_NOW} as "renewalTerms",
         ${GRANTED_BY} as "grantedBy",
         l.valid_from as "validFrom", l.valid_until as "validUntil",
         l.verify_code as "verifyCode", l.certificate_sha256 as "certificateSha256", l.issued_at as "issuedAt"
    from licenses l
    join companies c on c.id = l.company_id
    join license_types t on t.code = l.type_code
    left join licenses n on n.id = l.superseded_by
    left join licenses b on b.id = l.renews_id
    left join licenses x on x.renews_id = l.id
    left join applications r on ${RENEWS_IT}`;

/** What the rules of domain/renewal.ts look at. @param status what it is at the moment that is asked about */
export const renewableOf = (license: License, status: LicenseStatus): Renewable => ({
  status,
  validFrom: license.validFrom.getTime(),
  validUntil: license.validUntil?.getTime() ?? null,
  terms: license.renewalTerms && renewalTermsOf(license.renewalTerms),
  isRenewed: license.isRenewed,
  application: license.renewal,
});

/** Whoever may see its application may see a licence; null otherwise. */
export async function findLicense(db: Knex, viewer: Actor, id: LicenseId): Promise<License | null> {
  const { rows }: { rows: License[] } = await db.raw(
    `${SELECT} join applications a on a.id = l.application_id where l.id = :id and ${VISIBLE}`,
    { id, ...seenBy(viewer) },
  );
  return rows[0] ?? null;
}

/** The licences of the companies that a person acts for, newest first. */
export async function licensesOf(
  db: Knex,
  viewer: Actor,
  options: { after: AfterInTime | null; limit: number },
): Promise<License[]> {
  const { after, limit } = options;
  const { rows }: { rows: License[] } = await db.raw(
    `${SELECT}
      where l.company_id in (select m.company_id from company_members m where m.user_id = :viewer)
        ${after ? 'and (l.issued_at, l.id) < (:at, :id)' : ''}
      order by l.issued_at desc, l.id desc
      limit :limit`,
    { viewer: viewer.userId, at: after?.at ?? null, id: after?.id ?? null, limit },
  );
  return rows;
}

/** For the public page: whoever holds the certificate holds the code. */
export async function licenseByVerifyCode(db: Knex, code: string): Promise<License | null> {
  const { rows }: { rows: License[] } = await db.raw(`${SELECT} where l.verify_code = ?`, [code]);
  return rows[0] ?? null;
}
