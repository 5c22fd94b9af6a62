/** Of an approval by law: what the law asks to be shown of it. */
import { z } from 'zod';
import { evidenceSeenBy, type StoredEvidence } from '../../db/evidence.ts';
import { Failure } from '../../domain/failures.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import type { ApiDeps } from '../deps.ts';
import { evidenceJson } from '../evidence-json.ts';
import { defineRoute, json } from '../route.ts';
import { evidenceSchema } from '../schemas/evidence.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { onceStored, storedPdf } from '../stored-pdf.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Applications'];
const permission = 'application.read';
const problems = ['not_found'] as const;

const read = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/evidence',
  summary: 'Why an application counts as granted by law',
  description:
    'Of a deemed approval (fiktif positif): clock, days counted, suspensions, ladder and letters, as they were at that ' +
    'moment. JSON, or the paper with `Accept: application/pdf`. Owners see roles, staff see names.',
  tags,
  permission,
  params,
  problems,
  responses: { 200: { description: 'The evidence', schema: evidenceSchema, contentType: 'application/pdf' } },
  async handler({ params: { id }, actor, deps, req }) {
    const evidence = await seen(deps, actor, id);
    if (req.accepts(['json', 'application/pdf']) === 'application/pdf') return paper(deps, actor, evidence);
    return json(200, await evidenceJson(deps, actor, evidence), { headers: { Vary: 'Accept' } });
  },
});

const pdf = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/evidence.pdf',
  summary: 'The same as a paper',
  description: 'The same bytes for ever: printed once. It names roles, no people.',
  tags,
  permission,
  params,
  problems,
  responses: { 200: { description: 'The paper', contentType: 'application/pdf' } },
  handler: async ({ params: { id }, actor, deps }) => paper(deps, actor, await seen(deps, actor, id)),
});

export const evidenceRoutes = [read, pdf];

async function seen({ db }: ApiDeps, actor: Actor, id: ApplicationId): Promise<StoredEvidence> {
  const found = await evidenceSeenBy(db, actor, id);
  if (!found)
    throw new Failure('not_found', 'There is no such case that was granted by law, or none that you may see.');
  return found;
}

async function paper(deps: ApiDeps, actor: Actor, { applicationId, pdf: stored }: StoredEvidence) {
  const again = async () => (await evidenceSeenBy(deps.db, actor, applicationId))?.pdf ?? null;
  const sha256 = stored ?? (await onceStored(deps.changes, applicationId, again));
  if (sha256) return storedPdf(deps.files, sha256, `evidence-${applicationId}`);
  throw new Failure('not_found', 'The paper is being made. Ask again in a minute.');
}
