/** What people ask of a subscription. */
import type { Refusal } from '../domain/licensing.ts';
import type { SubscriptionChange } from '../domain/subscription-changes.ts';
import { refusal } from './answers.ts';
import { type Answered, openDesk } from './desk.ts';
import {
  cancelSubscriptionUpdate,
  changeMethodUpdate,
  changePlanUpdate,
  extendSubscriptionUpdate,
  pauseSubscriptionUpdate,
  resumeSubscriptionUpdate,
  type Sent,
  type SubscriptionAnswer,
} from './messages.ts';

export interface SubscriptionAsked {
  readonly change: SubscriptionChange;
  readonly origin: Sent['origin'];
}

/** @param refuse why it cannot be done as far as is known, or null */
export function openSubscriptionDesk(
  refuse: (change: SubscriptionChange) => Refusal | null,
  answered: readonly Answered<SubscriptionAnswer>[] = [],
) {
  const desk = openDesk<SubscriptionAsked, SubscriptionAnswer>({
    refuse: ({ change }) => refuse(change),
    ended: refusal('subscription_not_open', 'The subscription has come to its end. Read it again.'),
    answered,
  });
  const asks = (change: SubscriptionChange, { origin }: Sent): SubscriptionAsked => ({ change, origin });
  desk.takes(cancelSubscriptionUpdate, (said) => asks({ kind: 'cancel', by: said.by, when: said.at }, said));
  desk.takes(pauseSubscriptionUpdate, (said) => asks({ kind: 'pause', by: said.by }, said));
  desk.takes(resumeSubscriptionUpdate, (said) => asks({ kind: 'resume', by: said.by }, said));
  desk.takes(changePlanUpdate, (said) => asks({ kind: 'change_plan', by: said.by, plan: said.plan }, said));
  desk.takes(extendSubscriptionUpdate, (said) =>
    asks({ kind: 'extend', by: said.by, days: said.days, reason: said.reason }, said),
  );
  desk.takes(changeMethodUpdate, (said) =>
    asks({ kind: 'change_method', by: said.by, paymentMethodId: said.paymentMethodId }, said),
  );
  return desk;
}
