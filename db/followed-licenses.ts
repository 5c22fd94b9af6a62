/** Which licences need somebody who follows them, and which have. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, LicenseId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';

export interface ToFollow {
  readonly id: LicenseId;
  /** By its record; whether the process is there, only Temporal knows. */
  readonly isFollowed: boolean;
}

/** Licences that live and have an end, by ID. */
export async function followedPage(
  db: Knex,
  { after, limit }: { after: LicenseId | null; limit: number },
): Promise<ToFollow[]> {
  return db('licenses')
    .whereIn('status', ['active', 'suspended'])
    .whereNotNull('valid_until')
    .modify((query) => {
      if (after) query.where('id', '>', after);
    })
    .orderBy('id')
    .limit(limit)
    .select({ id: 'id', isFollowed: db.raw('followed_since is not null') });
}

/** Its process runs, for the first time or again. */
export async function noteFollowed(
  db: Knex,
  { id, isFollowed, at }: ToFollow & { readonly at: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    const license: { applicationId: ApplicationId; companyId: CompanyId } | undefined = await tx('licenses')
      .where({ id })
      .forNoKeyUpdate()
      .first({ applicationId: 'application_id', companyId: 'company_id' });
    if (!license) return;
    await recordEvent(tx, {
      key: isFollowed ? `license/${id}/followed/${at}` : `license/${id}/followed`,
      type: 'license.followed',
      ...license,
      subject: `license/${id}`,
      data: { again: isFollowed },
      at,
    });
    await tx('licenses').where({ id }).whereNull('followed_since').update({ followed_since: at });
  });
}
