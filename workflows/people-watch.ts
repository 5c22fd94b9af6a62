/**
 * Once a minute: starts moves of tasks and absences that are on record and in no process's hands, and writes to supervisors
 * about each proposal of a failed audit that has waited for another week. Seats that nobody was free for go to whoever has come
 * back since. A schedule starts it (worker/schedules.ts); what one run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Errand, Telling } from '../activities/money-watch.ts';
import type { SeatErrand } from '../activities/review-offers.ts';
import type { SeatAt } from '../activities/task-moves.ts';
import type { AbsenceId, TaskMoveId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { absenceProcessId, licenseReviewId, taskMoveProcessId } from './ids.ts';
import { type AbsenceInput, offerSeatUpdate, type TaskMoveInput } from './messages.ts';
import { records, sweeps } from './policies.ts';

const { peopleWaiting } = proxyActivities<Activities>({ ...records, summary: 'Look for moves of tasks not in hand' });
const { tellOfProposals } = proxyActivities<Activities>({
  ...records,
  summary: 'Write to supervisors about proposals that wait',
});
const { offerSeats } = proxyActivities<Activities>({ ...sweeps, summary: 'Offer waiting seats to whoever is free' });
const { tellProcesses } = proxyActivities<Activities>({ ...sweeps, summary: 'Start their processes' });

/** The API starts a process within seconds of its record. */
const FORGOTTEN_AFTER_MS = 60_000;
const PAGE = 50;

export async function peopleWatch(): Promise<{ started: number; offered?: number }> {
  const at = clock();
  const before = new Date(Date.now() - FORGOTTEN_AFTER_MS).toISOString();
  const { moves, absences, proposals = [], seats = [] } = await peopleWaiting({ before, at, limit: PAGE });
  if (proposals.length > 0) await tellOfProposals({ proposals, at });
  const tellings = [...moves.map(moveErrand), ...absences.map((id) => absenceErrand(id, at))].map(telling);
  const started = tellings.length === 0 ? 0 : (await tellProcesses({ tellings, at: clock() })).told;
  if (seats.length === 0) return { started };
  return { started, ...(await offerSeats({ errands: seats.map(seatErrand) })) };
}

const seatErrand = ({ applicationId, ...waiting }: SeatAt): SeatErrand => ({
  workflowId: licenseReviewId(applicationId),
  update: offerSeatUpdate.name,
  waiting,
});

const telling = (errand: Errand): Telling => ({ inboxIds: [], errands: [errand] });

function moveErrand(moveId: TaskMoveId): Errand {
  const input: TaskMoveInput = { moveId };
  const summary = 'Tasks of a person, moved; started by the sweep';
  return { workflowType: 'taskMove', workflowId: taskMoveProcessId(moveId), input, signal: null, summary };
}

function absenceErrand(absenceId: AbsenceId, from: string): Errand {
  const input: AbsenceInput = { absenceId, from };
  const summary = 'Absence, started by the sweep';
  return { workflowType: 'absence', workflowId: absenceProcessId(absenceId), input, signal: null, summary };
}
