import { z } from 'zod';
import { decisionsOf } from '../../db/applications.ts';
import { casePartsOf } from '../../db/case-reads.ts';
import { formsOf, type SubmissionOnRecord, submissionsOf } from '../../db/corrections.ts';
import { Failure } from '../../domain/failures.ts';
import { diffDocuments, diffForms } from '../../domain/submission-diff.ts';
import { acceptedIn, applicationSeenBy } from '../application-json.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { submissionDiffSchema } from '../schemas/licenses.ts';
import { timeJson } from '../wire.ts';

const round = z.coerce.number().int().min(1).max(1_000);

const compare = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/diff',
  summary: 'What the applicant changed between two rounds',
  description:
    'Of the last two, unless asked otherwise. An applicant may send in again what was there: then `unchanged` is true.',
  tags: ['Applications'],
  permission: 'application.read',
  params: z.object({ id: applicationIdSchema }),
  query: z.strictObject({
    from: round.optional().describe('Absent = the round before `to`.'),
    to: round.optional().describe('Absent = the last round.'),
  }),
  problems: ['not_found'],
  responses: { 200: { description: 'The differences', schema: submissionDiffSchema } },
  async handler({ params: { id }, query, actor, deps: { db } }) {
    await applicationSeenBy(db, actor, id);
    const { from, to } = chosen(await submissionsOf(db, id), query);
    const [forms, parts, decisions] = await Promise.all([
      formsOf(db, id, [from.round, to.round]),
      casePartsOf(db, id),
      decisionsOf(db, id),
    ]);
    const form = diffForms(forms.get(from.round), forms.get(to.round));
    const documents = diffDocuments(from.documents, to.documents);
    const isAccepted = acceptedIn(parts, decisions);
    return json(200, {
      applicationId: id,
      from: roundJson(from),
      to: roundJson(to),
      unchanged: form.length === 0 && documents.every(({ change }) => change === 'same'),
      form,
      documents: documents.map((change) => ({ ...change, accepted: 'after' in change && isAccepted(change.after) })),
    });
  },
});

/** @throws Failure `not_found` for rounds that there are not */
function chosen(
  submissions: readonly SubmissionOnRecord[],
  asked: { from?: number | undefined; to?: number | undefined },
) {
  const to = asked.to === undefined ? submissions.at(-1) : submissions.find((one) => one.round === asked.to);
  const earlier = submissions.filter((one) => to !== undefined && one.round < to.round);
  const from = asked.from === undefined ? earlier.at(-1) : submissions.find((one) => one.round === asked.from);
  if (from && to) return { from, to };
  const rounds = submissions.map((one) => one.round).join(', ') || 'none';
  throw new Failure('not_found', `There are not two such rounds to compare. Rounds of this case: ${rounds}.`);
}

const roundJson = ({ round: number, sha256, submittedAt }: SubmissionOnRecord) => ({
  round: number,
  submissionHash: sha256,
  submittedAt: timeJson(submittedAt),
});

export const submissionDiffRoutes = [compare];
