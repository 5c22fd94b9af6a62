/** What people ask of a subscription: validated at once, done by its main line one after the other, answered once for good. */
import { condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type { Refusal } from '../domain/licensing.ts';
import type { SubscriptionChange } from '../domain/subscription-changes.ts';
import { clock, refused, refuseIf } from './answers.ts';
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

export interface Request {
  /** Of the update: the record takes it once. */
  readonly id: string;
  readonly change: SubscriptionChange;
  readonly origin: Sent['origin'];
  answer: SubscriptionAnswer | Refusal | null;
}

export interface Answered {
  readonly id: string;
  readonly answer: SubscriptionAnswer;
}

/** Temporal forgets with each run which updates it has seen; a client that asks again does so within minutes. */
const REMEMBERED = 30;

/** @param refuse why it cannot be done as far as is known, or null */
export function openRequests(refuse: (change: SubscriptionChange) => Refusal | null, before: readonly Answered[] = []) {
  const waiting: Request[] = [];
  let answered = [...before];
  const known = (id: string | undefined) => answered.find((one) => one.id === id);

  const validated = (change: SubscriptionChange): void => {
    if (!known(currentUpdateInfo()?.id)) refuseIf(refuse(change));
  };

  async function ask(change: SubscriptionChange, { origin }: Sent): Promise<SubscriptionAnswer> {
    const id = currentUpdateInfo()?.id ?? clock();
    const done = known(id);
    if (done) return done.answer;
    const request: Request = { id, change, origin, answer: null };
    waiting.push(request);
    await condition(() => request.answer !== null);
    if (request.answer === null || 'code' in request.answer) throw refused(request.answer ?? NOT_ANSWERED);
    return request.answer;
  }

  setHandler(cancelSubscriptionUpdate, (said) => ask({ kind: 'cancel', by: said.by, when: said.at }, said), {
    validator: ({ by, at }) => validated({ kind: 'cancel', by, when: at }),
  });
  setHandler(pauseSubscriptionUpdate, (said) => ask({ kind: 'pause', by: said.by }, said), {
    validator: ({ by }) => validated({ kind: 'pause', by }),
  });
  setHandler(resumeSubscriptionUpdate, (said) => ask({ kind: 'resume', by: said.by }, said), {
    validator: ({ by }) => validated({ kind: 'resume', by }),
  });
  setHandler(changePlanUpdate, (said) => ask({ kind: 'change_plan', by: said.by, plan: said.plan }, said), {
    validator: ({ by, plan }) => validated({ kind: 'change_plan', by, plan }),
  });
  setHandler(
    extendSubscriptionUpdate,
    (said) => ask({ kind: 'extend', by: said.by, days: said.days, reason: said.reason }, said),
    { validator: ({ by, days, reason }) => validated({ kind: 'extend', by, days, reason }) },
  );
  setHandler(
    changeMethodUpdate,
    (said) => ask({ kind: 'change_method', by: said.by, paymentMethodId: said.paymentMethodId }, said),
    { validator: ({ by, paymentMethodId }) => validated({ kind: 'change_method', by, paymentMethodId }) },
  );

  return {
    next: (): Request | undefined => waiting.shift(),
    areWaiting: (): boolean => waiting.length > 0,
    answer(request: Request, answer: SubscriptionAnswer | Refusal): void {
      request.answer = answer;
      if (!('code' in answer)) answered = [...answered, { id: request.id, answer }].slice(-REMEMBERED);
    },
    carried: (): readonly Answered[] => answered,
  };
}

const NOT_ANSWERED = {
  code: 'subscription_not_open',
  message: 'The subscription has come to its end. Read it again.',
  facts: {},
} as const satisfies Refusal;
