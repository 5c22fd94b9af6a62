/** A case as its events alone tell it: whoever reads the audit in order must come to what is on record. */
import {
  APPLICATION_STATES,
  type ApplicationState,
  isStage,
  type LicensePolicy,
  type Stage,
} from '../../../domain/licensing.ts';
import type { EventRecord } from './records.ts';

export interface ToldSeat {
  assignee: string | null;
  isOpen: boolean;
}

/** How long a stage was open at a stretch. */
export interface Spell {
  readonly stage: Stage;
  readonly from: number;
  to: number | null;
}

export interface Told {
  state: ApplicationState;
  stage: Stage | null;
  round: number;
  readonly seats: Map<number, ToldSeat>;
  completeAt: number | null;
  readonly suspensions: { from: number; to: number | null }[];
  /** Of the policy, as it was published; the first one is 1. */
  policyVersion: number | null;
  /** Since the case was submitted, or appealed. */
  spells: Spell[];
}

/** What the events do not say because the rules do: which path a case takes, and whether there is anything to pay. */
export type Rules = Pick<LicensePolicy, 'path'> & { readonly afterApproval: 'pending_payment' | 'activating' };

export function replayed(events: readonly EventRecord[], rules: Rules): Told {
  const told: Told = {
    state: 'draft',
    stage: null,
    round: 1,
    seats: new Map(),
    completeAt: null,
    suspensions: [],
    policyVersion: 1,
    spells: [],
  };
  for (const event of events) tell(told, event, rules);
  return told;
}

function tell(told: Told, event: EventRecord, rules: Rules): void {
  const { type, data, at } = event;
  const state = stateAfter(event, rules);
  if (type === 'application.completeness_checked') {
    told.round = data.round ?? told.round;
    if (data.missing?.length === 0) told.completeAt ??= at;
  }
  if (type === 'application.appealed') told.spells = [];
  if (type === 'clock.suspended') told.suspensions.push({ from: at, to: null });
  if (type === 'clock.resumed') for (const suspension of told.suspensions) suspension.to ??= at;
  if (type === 'application.policy_moved') told.policyVersion = data.to === null ? null : Number(data.to);
  if (type === 'task.assigned') open(told, data, at);
  if (type === 'task.reassigned') hand(told, [{ seat: data.seat ?? 1, assignee: data.to ?? null }]);
  if (type === 'task.breached') hand(told, data.holders ?? []);
  if (type === 'decision.recorded') decide(told, data, at);
  if (state) move(told, state, at);
}

/** null = by itself it leads nowhere. */
function stateAfter({ type }: EventRecord, { path, afterApproval }: Rules): ApplicationState | null {
  switch (type) {
    case 'application.submitted':
      return 'submitted';
    case 'application.completeness_checked':
      return path === 'review' ? 'completeness' : 'auto_check';
    case 'application.correction_requested':
    case 'application.reopened':
      return 'correction_requested';
    case 'application.intent_to_reject':
      return 'intent_to_reject';
    case 'application.approved':
    case 'application.deemed_approved':
      return afterApproval;
    case 'application.withdrawn':
      return 'withdrawn';
    case 'application.cancelled':
      return 'cancelled';
    case 'application.lapsed_no_response':
      return 'lapsed_no_response';
    default:
      return null;
  }
}

type Data = EventRecord['data'];

function move(told: Told, to: ApplicationState, at: number): void {
  told.state = to;
  told.stage = isStage(to) ? to : null;
  for (const seat of told.seats.values()) seat.isOpen = false;
  for (const spell of told.spells) spell.to ??= at;
}

function open(told: Told, { stage, round, holders = [] }: Data, at: number): void {
  if (!stage) return;
  const isAgain = told.state === 'intent_to_reject';
  told.state = stage;
  told.stage = stage;
  told.round = round ?? told.round;
  if (!isAgain) told.seats.clear();
  for (const { seat, assignee } of holders) told.seats.set(seat, { assignee, isOpen: true });
  told.spells.push({ stage, from: at, to: null });
}

function hand(told: Told, holders: readonly { readonly seat: number; readonly assignee: string | null }[]): void {
  for (const { seat, assignee } of holders) {
    const held = told.seats.get(seat);
    if (held) held.assignee = assignee;
  }
}

function decide(told: Told, { stage, to, seat = 1 }: Data, at: number): void {
  const held = told.seats.get(seat);
  if (held) held.isOpen = false;
  if (to === stage) return;
  const state = APPLICATION_STATES.find((each) => each === to);
  if (!state) throw new Error(`a decision led to ${to}, which is no state`);
  move(told, state, at);
}
