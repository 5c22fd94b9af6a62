/** What the applicants of the simulated year do. */
import { takeUpAgain } from '../../api/review-process.ts';
import { sealOrigin } from '../../api/sealed-origin.ts';
import { sendIn } from '../../api/submission.ts';
import { correctionOf } from '../../db/corrections.ts';
import { judgedFor, licenseTypeInForce } from '../../db/license-types.ts';
import { writeStatement } from '../../db/statements.ts';
import { namedUuid } from '../../db/uuids.ts';
import { canMove } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { patience } from './people.ts';
import { arrive, type CaseInPlay, put, SECOND, say, settle, type World } from './world.ts';

const NO_ORIGIN = { address: null, requestId: null } as const;

/** The functions behind the route, which would put its own time on what is submitted. */
export async function submit(world: World, theCase: CaseInPlay, minute: number): Promise<void> {
  const { system, clocks, chance } = world;
  const { db } = system.database;
  const { id, companyId, form, typeCode, workflowId, number } = theCase;
  const at = new Date(minute + SECOND.applies * 1000);
  const offered = await licenseTypeInForce(db, typeCode, at);
  if (!offered) throw new Error(`${typeCode} is not offered`);
  const type = await judgedFor(db, offered, { companyId, form }, at);
  clocks.startAt(workflowId, at.getTime());
  await sendIn(system.api.deps, type, { id, companyId, by: demoUserId('owner'), origin: NO_ORIGIN, at });
  await clocks.begun(system.client, workflowId);
  world.counts.submitted += 1;
  await settle(world, theCase, at.getTime());
  const after = patience(chance, number);
  if (after !== null) put(world, minute + after, number, { kind: 'withdraw', theCase });
}

export async function withdraw(world: World, theCase: CaseInPlay, minute: number): Promise<void> {
  if (!theCase.now || !canMove(theCase.now.state, 'withdrawn')) return;
  const at = await arrive(world, theCase, minute, SECOND.applies);
  await say(world, theCase, 'owner', `licenses/applications/${theCase.id}/withdraw`, { reason: 'No shop after all.' });
  await settle(world, theCase, at);
}

/** Changes what was pointed at, and hands it in again; too late when the time to answer is over. */
export async function resubmit(world: World, theCase: CaseInPlay, round: number, minute: number): Promise<void> {
  if (theCase.now?.state !== 'correction_requested' || theCase.now.round !== round) return;
  const at = await arrive(world, theCase, minute, SECOND.applies);
  const form = { ...theCase.form, businessAddress: `Jl. Melati No. ${12 + round}, Bandung` };
  await say(world, theCase, 'owner', `licenses/applications/${theCase.id}`, { form }, 'PUT');
  await say(world, theCase, 'owner', `licenses/applications/${theCase.id}/resubmit`);
  await settle(world, theCase, at);
}

export async function respond(world: World, theCase: CaseInPlay, round: number, minute: number): Promise<void> {
  if (theCase.now?.state !== 'intent_to_reject' || theCase.now.round !== round) return;
  const at = await arrive(world, theCase, minute, SECOND.applies);
  await say(world, theCase, 'owner', `licenses/applications/${theCase.id}/respond`, { text: 'The tank was moved.' });
  await settle(world, theCase, at);
}

/** As with a submission, the route would put its own time on it. */
export async function takeUp(
  world: World,
  theCase: CaseInPlay,
  kind: 'appeal' | 'reopened',
  minute: number,
): Promise<void> {
  const { system, clocks } = world;
  const { db } = system.database;
  const { id, companyId, typeCode, policy, workflowId, now } = theCase;
  if (!now?.closedAt || now.state !== (kind === 'appeal' ? 'rejected' : 'lapsed_no_response')) return;
  const at = minute + SECOND.applies * 1000;
  const submittedAt = new Date(at).toISOString();
  const { round } = now;
  const by = demoUserId('owner');
  const statementId = namedUuid(`simulation/${kind}/${id}/${round}`);
  const stage = kind === 'appeal' ? null : ((await correctionOf(db, id, round))?.stage ?? null);
  // Its last letters may still be on their way.
  await system.client.workflow.getHandle(workflowId).result();
  await writeStatement(db, {
    ...{ id: statementId, applicationId: id, kind: kind === 'appeal' ? 'appeal' : 'reopening' },
    ...{ round, by, at: submittedAt, text: 'Please look at it again.' },
  });
  clocks.startAt(workflowId, at);
  const input = { applicationId: id, companyId, applicant: by, typeCode, policy, submittedAt };
  const again = { kind, round, stage, statementId };
  await takeUpAgain(system.api.deps, { ...input, again, origin: sealOrigin(system.api.deps, NO_ORIGIN) }, now.closedAt);
  theCase.takenUp += 1;
  await clocks.begun(system.client, workflowId);
  await settle(world, theCase, at, now.state);
}
