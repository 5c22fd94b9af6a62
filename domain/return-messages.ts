/** What people say to a return, as the border has validated it and `shop_messages.content` keeps it. */
import type { OrderItemId, Sku } from './ids.ts';
import {
  type Condition,
  type Disposition,
  type Resolution,
  type ReturnMessageKind,
  returnTransitions,
} from './returns.ts';

/** Some units of a line: the one of that number, or so many of those that it can be about; absent both = all of them. */
export interface UnitChoice {
  readonly orderItemId: OrderItemId;
  readonly number?: number;
  readonly quantity?: number;
}

/** Absent `items` = everything that is asked back; what is not named is refused. */
export interface ApproveContent {
  readonly items?: readonly UnitChoice[];
  readonly note?: string;
}

export interface RejectContent {
  readonly reason: string;
}

export interface RequestInfoContent {
  readonly question: string;
}

export interface ProvideInfoContent {
  readonly answer: string;
}

export interface CancelContent {
  readonly note?: string;
}

export interface ReceivedUnits extends UnitChoice {
  /** Of a unit that has one; it has to be the unit's. */
  readonly serial?: string;
}

/** Absent `units` = all that is authorised. `complete`: nothing more is waited for, what is not here is missing. */
export interface ReceiveContent {
  readonly units?: readonly ReceivedUnits[];
  readonly complete?: boolean;
}

export interface InspectedUnits extends UnitChoice {
  readonly condition: Condition;
  /** `send_back`: it is not accepted and goes back to the customer. */
  readonly disposition: Disposition;
  readonly note?: string;
}

export interface InspectContent {
  readonly units: readonly InspectedUnits[];
}

export interface ResolveContent {
  readonly resolution: Resolution;
  /** Of an exchange; absent = the one that was asked for at first. */
  readonly exchangeSku?: Sku;
}

export interface AcceptDeductionContent {
  /** Of the statement that was read; absent = the newest. */
  readonly version?: number;
}

export interface DisputeContent {
  readonly reason: string;
}

/** `uphold`: the deductions stay, for the customer to accept. `waive`: they are dropped. */
export interface DecideDisputeContent {
  readonly decision: 'uphold' | 'waive';
  readonly note: string;
}

/** Where a person can lead a return that came to one. */
export const CONTINUE_TO = returnTransitions.manual_review;
export type ContinueTo = (typeof CONTINUE_TO)[number];

export interface ContinueContent {
  readonly to: ContinueTo;
  readonly note: string;
}

/** Content by kind of message. */
export interface ReturnContents {
  readonly approve: ApproveContent;
  readonly reject: RejectContent;
  readonly request_info: RequestInfoContent;
  readonly provide_info: ProvideInfoContent;
  readonly cancel: CancelContent;
  readonly receive: ReceiveContent;
  readonly inspect: InspectContent;
  readonly resolve: ResolveContent;
  readonly accept_deduction: AcceptDeductionContent;
  readonly dispute: DisputeContent;
  readonly decide_dispute: DecideDisputeContent;
  readonly continue: ContinueContent;
}

/** A message with what it says; `satisfies` keeps the list complete. */
export type ReturnMessage = {
  [Kind in ReturnMessageKind]: { readonly kind: Kind; readonly content: ReturnContents[Kind] };
}[ReturnMessageKind];
