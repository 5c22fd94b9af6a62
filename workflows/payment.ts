/**
 * Collects one invoice, until it is paid, lapses or is voided: opens an attempt when the payer asks, listens for the
 * gateway's notices and, since those may never come, asks by itself; reminds the payer. A notice is a hint; only the
 * gateway's answer to a question counts. At most one attempt is open. The process outlives the invoice's end until no
 * attempt can bring money in any more; a notice that comes even later starts it again.
 *
 * An invoice of a subscription is collected in the same way, but its subscription decides when to remind, when to charge a
 * card on file, and when nobody waits for the money any more: here it never lapses by itself. One of an order lapses when it is
 * due, and the order is told.
 */
import {
  allHandlersFinished,
  condition,
  currentUpdateInfo,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Attempt, Confirmed } from '../activities/attempts.ts';
import type { Activities } from '../activities/index.ts';
import type { Collection } from '../activities/payments.ts';
import type { InvoiceId, RefundId, UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { isOpenPayment, type PaymentCaseKind } from '../domain/payments.ts';
import { clock, orNull, refusal, refused, refuseIf } from './answers.ts';
import { atGateways } from './gateways.ts';
import {
  activationId,
  orderId as orderProcess,
  refundId as refundProcess,
  subscriptionId as subscriptionProcess,
} from './ids.ts';
import {
  type CardDeclined,
  type ChargeCard,
  cardDeclinedSignal,
  chargeCardSignal,
  gatewayNoticeSignal,
  type InvoiceClosed,
  invoiceClosedSignal,
  lookAgainSignal,
  type OpenPayment,
  type PaymentInput,
  type PayRequest,
  payUpdate,
  payWithCreditUpdate,
  type RefundInput,
  type Sent,
  type VoidedInvoice,
  type VoidRequest,
  voidUpdate,
} from './messages.ts';
import {
  ATTEMPT_AT_LEAST_MS,
  ATTEMPT_OPEN_MS,
  chargings,
  documents,
  LOOK_AGAIN_MS,
  lookUps,
  openings,
  POLL_AFTER_EXPIRY_MS,
  POLL_AFTER_MS,
  records,
} from './policies.ts';
import { openPost } from './post.ts';

const { loadCollection } = proxyActivities<Activities>({ ...records, summary: 'Read what is known of the invoice' });
const { openAttempt } = atGateways({ ...openings, summary: 'Open a payment attempt at the gateway' });
const { confirmPayment } = atGateways({ ...lookUps, summary: 'Ask the gateway, write down what it says' });
const { chargeCardOnFile } = atGateways({ ...chargings, summary: 'Charge the card on file' });
const { noteReminder } = proxyActivities<Activities>({ ...records, summary: 'Record a payment reminder' });
const { lapseUnpaid } = proxyActivities<Activities>({ ...records, summary: 'Close the unpaid invoice and its case' });
const { noteOverdue } = proxyActivities<Activities>({ ...records, summary: 'Record that an instalment is overdue' });
const { voidInvoice } = proxyActivities<Activities>({
  ...records,
  summary: 'Void the invoice, and replace it if asked',
});
const { payInvoiceWithCredit } = proxyActivities<Activities>({ ...records, summary: "Pay with the company's credit" });
const { printReceipt } = proxyActivities<Activities>({ ...documents, summary: 'Print a receipt and store its PDF' });
const { financeStaff } = proxyActivities<Activities>({ ...records, summary: 'Find whom to tell in finance' });

/** An attempt and the times at which it will be asked about, the next one first. */
interface Watched {
  attempt: Attempt;
  looks: number[];
  /** Its page asks for what is not owed any more, and the gateway has not yet been asked to close it. */
  isOutdated?: boolean;
}

export async function invoicePayment(input: PaymentInput): Promise<void> {
  const { invoiceId, known, remindAt = [] } = input;
  const requests: (() => Promise<void>)[] = [];
  const notices = new Map<string, string>();
  let subscriptionId = input.subscriptionId ?? null;
  let orderId = input.orderId ?? null;
  const tries = new Set<number>();
  /** Charges of a card that are not answered yet: which try each is, by the attempt's reference. */
  const charges = new Map<string, number>();
  const reminders = [...remindAt];
  let invoiceState = known?.invoiceState ?? 'open';
  let isPartPaid = known?.isPartPaid ?? false;
  let changedElsewhere = false;
  let printing = 0;
  let papers: Promise<void> = Promise.resolve();

  const whyNotPay = (): Refusal | null => (invoiceState === 'open' ? null : NOT_OPEN);
  const whyNotVoid = (): Refusal | null =>
    subscriptionId ? OF_SUBSCRIPTION : orderId ? OF_ORDER : (whyNotPay() ?? (isPartPaid ? PART_PAID : null));
  setHandler(payUpdate, (asked) => inTurn(() => serve(asked)), { validator: (_request) => refuseIf(whyNotPay()) });
  setHandler(voidUpdate, (asked) => inTurn(() => voidIt(asked)), { validator: (_request) => refuseIf(whyNotVoid()) });
  setHandler(
    payWithCreditUpdate,
    (asked) => {
      const request = currentUpdateInfo()?.id ?? clock();
      return inTurn(() => useCredit(asked, request));
    },
    { validator: (_request) => refuseIf(whyNotPay()) },
  );
  setHandler(lookAgainSignal, () => {
    changedElsewhere = true;
  });
  setHandler(gatewayNoticeSignal, ({ reference, inboxId }) => {
    const newest = notices.get(reference);
    if (!newest || BigInt(newest) < BigInt(inboxId)) notices.set(reference, inboxId);
  });

  setHandler(chargeCardSignal, (asked) => {
    if (tries.has(asked.try)) return;
    tries.add(asked.try);
    requests.push(() => chargeCard(asked));
  });

  const collection = known ?? (await refreshed());
  const { attempts, applicationId, payer, dueAt, inParts = false, overdue: parts = [] } = collection;
  subscriptionId ??= collection.subscriptionId ?? null;
  orderId ??= collection.orderId ?? null;
  const overdue = [...parts];
  const post = applicationId ? openPost(`${workflowInfo().workflowId}/${attempts.length}`, applicationId) : null;
  const watched: Watched[] = attempts.map(watch);

  while (!finished()) {
    await somethingToDo();
    const request = requests.shift();
    const [notice] = notices;
    if (request) await request();
    else if (changedElsewhere) await lookAtEverything();
    else if (notice) await answerNotice(...notice);
    else await doWhatIsDue();
    show();
  }
  await papers;
  await post?.delivered();
  await condition(allHandlersFinished);

  // ---- its steps ------------------------------------------------------------------------------------------------------

  /** Requests are served one after the other by the process's main line, so that no two of them meet at the gateway. */
  async function inTurn<T extends object>(serveIt: () => Promise<T | Refusal>): Promise<T> {
    let answer: T | Refusal | null = null;
    requests.push(async () => {
      answer = await serveIt();
    });
    await condition(() => answer !== null);
    return granted<T>(answer);
  }

  async function refreshed(): Promise<Collection> {
    const loaded = await loadCollection({ invoiceId });
    invoiceState = loaded.invoiceState;
    isPartPaid = loaded.isPartPaid ?? isPartPaid;
    return loaded;
  }

  /** Nobody will ask, nobody has told, and no attempt can bring money in any more. */
  function finished(): boolean {
    const quiet = !isSpokenTo() && watched.every(({ looks }) => looks.length === 0);
    // While a letter waits for the mail server, a notice may still come, and must find somebody who answers it.
    return quiet && invoiceState !== 'open' && printing === 0 && (post?.isEmpty() ?? true);
  }

  function isSpokenTo(): boolean {
    return requests.length > 0 || notices.size > 0 || changedElsewhere;
  }

  async function somethingToDo(): Promise<void> {
    const { at, summary } = nextThing();
    const spoken = () => isSpokenTo() || finished();
    if (at === Number.POSITIVE_INFINITY) await condition(spoken);
    else await condition(spoken, Math.max(1, at - Date.now()), { summary });
  }

  function nextThing(): { at: number; summary: string } {
    const whileOpen = (at: string | undefined): number =>
      invoiceState === 'open' && at ? Date.parse(at) : Number.POSITIVE_INFINITY;
    const things = [
      {
        at: Math.min(...watched.flatMap(({ looks }) => looks.slice(0, 1))),
        summary: 'Ask the gateway, if no notice comes',
      },
      { at: whileOpen(reminders[0]), summary: 'Remind the payer' },
      { at: whileOpen(overdue[0]?.at), summary: 'An instalment is due' },
      { at: lapsesAt(), summary: 'The invoice lapses' },
    ];
    return things.reduce((first, thing) => (thing.at < first.at ? thing : first));
  }

  function lapsesAt(): number {
    return invoiceState === 'open' && !subscriptionId ? Date.parse(dueAt) : Number.POSITIVE_INFINITY;
  }

  /** Gives the payer a page to pay on: the one that is open, or a new one once the old can take no money. */
  async function serve(asked: PayRequest): Promise<OpenPayment | Refusal> {
    const last = watched.at(-1);
    const letGo = last !== undefined && isOtherPart(asked, last.attempt);
    if (
      last &&
      isOpen(last.attempt) &&
      (last.attempt.isCharge || letGo || isOver(last.attempt) || isAnother(asked, last.attempt))
    )
      await look(last, { expireFirst: true, noticesUpTo: null, ...(letGo ? { letGo } : {}) });
    if (invoiceState !== 'open') return NOT_OPEN;
    if (last && isOpen(last.attempt) && last.attempt.isCharge) return UNDER_WAY;
    if (last && isOpen(last.attempt) && last.attempt.redirectUrl) return pageOf(last.attempt);
    // The answer to its creation was lost: the same attempt is opened again under the same reference, never a second.
    if (last && isOpen(last.attempt)) return open(asked, last.attempt.attempt);
    return open(asked, (last?.attempt.attempt ?? 0) + 1);
  }

  /** A page for one instalment is no page for all that is left, and the other way round. */
  function isOtherPart({ part }: PayRequest, { instalment = null }: Attempt): boolean {
    return inParts && part !== undefined && (part === 'all') !== (instalment === null);
  }

  /** Makes sure that no attempt brings money in by itself any more. @returns why that is not so, or null */
  async function endOpenAttempts(): Promise<Refusal | null> {
    for (const one of watched) {
      if (!isOpen(one.attempt)) continue;
      if (!(await look(one, { expireFirst: true, noticesUpTo: null, letGo: true }))) return GATEWAY_AWAY;
      if (isOpen(one.attempt)) return UNDER_WAY;
    }
    return null;
  }

  async function voidIt(asked: VoidRequest): Promise<VoidedInvoice | Refusal> {
    const why = (await endOpenAttempts()) ?? whyNotVoid();
    if (why) return why;
    const voided = await voidInvoice({ invoiceId, at: clock(), ...asked });
    if (voided.state !== 'void') {
      await reload();
      return whyNotVoid() ?? UNDER_WAY;
    }
    invoiceState = 'void';
    const { replacement } = voided;
    await tellWhoWaits(replacement ? 'replaced' : 'void', replacement?.invoiceId);
    return voided;
  }

  async function useCredit(asked: { by: UserId } & Sent, key: string) {
    const why = (await endOpenAttempts()) ?? whyNotPay();
    if (why) return why;
    const paid = await payInvoiceWithCredit({ invoiceId, key, at: clock(), ...asked });
    invoiceState = paid.invoiceState;
    if (paid.appliedMinor === '0') return whyNotPay() ?? NO_CREDIT;
    isPartPaid = true;
    if (invoiceState === 'paid') await tellWhoWaits('paid');
    return paid;
  }

  async function open(asked: PayRequest, number: number): Promise<OpenPayment | Refusal> {
    const latest = subscriptionId ? Number.POSITIVE_INFINITY : Date.parse(dueAt);
    const attempt = {
      invoiceId,
      attempt: number,
      reference: `${invoiceId}-${number}`,
      method: asked.method ?? null,
      ...(asked.part ? { part: asked.part } : {}),
      expiresAt: openUntil(latest),
      at: clock(),
    };
    const opened = await orNull(
      openAttempt({
        ...attempt,
        gateway: asked.gateway,
        by: asked.by,
        locale: asked.locale,
        ...(asked.origin ? { origin: asked.origin } : {}),
      }),
    );
    if (!opened) {
      await reload();
      return GATEWAY_AWAY;
    }
    if (opened.outcome === 'open') {
      replace(opened.attempt);
      return pageOf(opened.attempt);
    }
    await reload();
    // The address of that page is lost and nobody has seen it; under a new reference the payer gets one that works.
    return opened.code === 'payment_unclear' ? open(asked, number + 1) : refusal(opened.code, opened.sentence);
  }

  /** At the latest until `latest`, and long enough to be paid. */
  function openUntil(latest: number): string {
    const now = Date.now();
    return new Date(Math.min(now + ATTEMPT_OPEN_MS, Math.max(latest, now + ATTEMPT_AT_LEAST_MS))).toISOString();
  }

  /** Takes what is left from a card on file. A lost answer is asked about; as long as it is unclear, nothing else is charged. */
  async function chargeCard({ paymentMethodId, try: number }: ChargeCard): Promise<void> {
    const why = await endOpenAttempts();
    if (invoiceState !== 'open') return;
    if (why) return tellDeclined(number, { code: why === GATEWAY_AWAY ? AWAY : 'payment_under_way', mayChange: true });
    const attempt = (watched.at(-1)?.attempt.attempt ?? 0) + 1;
    const reference = `${invoiceId}-${attempt}`;
    const asked = { invoiceId, attempt, reference, paymentMethodId, expiresAt: openUntil(0), at: clock() };
    charges.set(reference, number);
    const charged = await orNull(chargeCardOnFile(asked));
    if (charged?.said) replace(charged.said.attempt);
    else await reload();
    const made = watched.find(({ attempt: one }) => one.reference === reference);
    if (made && charged?.said) return learn(made, charged.said);
    // Every answer was lost, and the record says what came of it; while it is unclear, the gateway will be asked.
    if (made && !charged && isOpen(made.attempt)) return;
    if (made?.attempt.state === 'paid') {
      acknowledge(made.attempt);
      return tellWhoWaits('paid');
    }
    await tellCharge(reference, charged?.declined ?? null);
  }

  /** What became of a charge, once; `null` = nobody was charged and nobody knows why. */
  async function tellCharge(reference: string, why: Pick<CardDeclined, 'code' | 'mayChange'> | null): Promise<void> {
    const number = charges.get(reference);
    if (number === undefined) return;
    charges.delete(reference);
    await tellDeclined(number, why ?? { code: AWAY, mayChange: true });
  }

  async function tellDeclined(number: number, why: Pick<CardDeclined, 'code' | 'mayChange'>): Promise<void> {
    if (!subscriptionId) return;
    const waiting = getExternalWorkflowHandle(subscriptionProcess(subscriptionId));
    await orNull(waiting.signal(cardDeclinedSignal, { invoiceId, ...why, try: number }));
  }

  /** After an answer that was no attempt: what the record says is what there is to watch. */
  async function reload(): Promise<Collection> {
    const loaded = await refreshed();
    for (const attempt of loaded.attempts) replace(attempt);
    return loaded;
  }

  function replace(attempt: Attempt): void {
    const index = watched.findIndex((other) => other.attempt.reference === attempt.reference);
    const before = watched[index];
    if (before?.attempt.state === attempt.state) before.attempt = attempt;
    else watched.splice(index < 0 ? watched.length : index, index < 0 ? 0 : 1, watch(attempt));
  }

  async function answerNotice(reference: string, inboxId: string): Promise<void> {
    notices.delete(reference);
    const found = watched.find(({ attempt }) => attempt.reference === reference);
    if (found) await look(found, { expireFirst: false, noticesUpTo: inboxId });
    else await reload();
  }

  /** Somebody else has changed the record, or wants to know what the gateway says now. */
  async function lookAtEverything(): Promise<void> {
    changedElsewhere = false;
    const { outdated = [] } = await reload();
    for (const one of [...watched]) {
      // A page that asks for more than is left must not be paid.
      const letGo = outdated.includes(one.attempt.reference);
      await look(one, { expireFirst: letGo, letGo, noticesUpTo: null });
    }
    if (invoiceState === 'paid') await tellWhoWaits('paid');
  }

  async function doWhatIsDue(): Promise<void> {
    const now = Date.now();
    for (const one of watched) {
      const [next] = one.looks;
      const letGo = isOpen(one.attempt) && (one.isOutdated || invoiceState !== 'open');
      if (next !== undefined && next <= now) await look(one, { expireFirst: letGo, letGo, noticesUpTo: null });
    }
    if (invoiceState !== 'open') return;
    if (lapsesAt() <= now) await lapse();
    else if (reminders[0] && Date.parse(reminders[0]) <= now) await remind();
    else if (overdue[0] && Date.parse(overdue[0].at) <= now) await remindOfInstalment();
  }

  async function remindOfInstalment(): Promise<void> {
    const part = overdue.shift();
    if (!part) return;
    const { isOverdue } = await noteOverdue({ invoiceId, position: part.position, at: clock() });
    if (isOverdue && payer) post?.write('payment_reminder', payer, {}, `invoice/${invoiceId}/overdue/${part.position}`);
  }

  async function remind(): Promise<void> {
    reminders.shift();
    if (!applicationId || !payer) return;
    await noteReminder({ applicationId, number: remindAt.length - reminders.length, at: clock() });
    post?.write('payment_reminder', payer);
  }

  /** The end of waiting. Whoever still could have paid is asked about first; then the invoice's row decides. */
  async function lapse(): Promise<void> {
    for (const one of watched) if (isOpen(one.attempt)) await look(one, { expireFirst: true, noticesUpTo: null });
    // Receipts tell of what has paid the invoice, which after its lapse nothing has.
    await papers;
    if (invoiceState !== 'open') return;
    // Histories from before refunds were told hold none.
    const { state, refunds = [] } = await lapseUnpaid({ invoiceId, at: clock() });
    invoiceState = state;
    for (const refundId of refunds) await startRefund(refundId);
    await tellWhoWaits(state === 'paid' ? 'paid' : 'lapsed');
    if (state === 'lapsed' && payer) post?.write('application_lapsed_unpaid', payer);
  }

  /** @returns whether the gateway has answered */
  async function look(
    one: Watched,
    how: { expireFirst: boolean; noticesUpTo: string | null; letGo?: boolean },
  ): Promise<boolean> {
    const { reference } = one.attempt;
    one.looks = one.looks.filter((at) => at > Date.now());
    const said = await orNull(confirmPayment({ invoiceId, reference, at: clock(), ...how }));
    if (said) await learn(one, said);
    // The gateway is away. Whoever waits is served meanwhile, and the question is asked again.
    else one.looks = [Date.now() + LOOK_AGAIN_MS, ...one.looks].sort((a, b) => a - b);
    return said !== null;
  }

  async function learn(one: Watched, said: Confirmed): Promise<void> {
    const wasPaid = invoiceState === 'paid';
    one.attempt = said.attempt;
    one.isOutdated = false;
    for (const reference of said.outdated ?? []) endSoon(reference);
    if (said.attempt.state === 'paid' || said.attempt.state === 'reversed') one.looks = [];
    invoiceState = said.invoiceState;
    isPartPaid = said.isPartPaid ?? isPartPaid;
    if (invoiceState === 'paid' && !wasPaid) await tellWhoWaits('paid');
    if (said.isReceived) acknowledge(said.attempt);
    if (said.caseKind) await tellFinance(said.caseKind, said);
    if (said.refundId) await startRefund(said.refundId);
    const { reference, state } = said.attempt;
    if (state === 'failed' || state === 'expired') await tellCharge(reference, said.declined ?? null);
  }

  /** At the next turn, which is now: whoever waits is served first, and a gateway that is away is asked again. */
  function endSoon(reference: string): void {
    const found = watched.find(({ attempt }) => attempt.reference === reference);
    if (!found) return;
    found.isOutdated = true;
    found.looks = [Date.now(), ...found.looks];
  }

  /** Beside the story, like the letters: the licence does not wait for the receipt. */
  function acknowledge({ paymentId }: Attempt): void {
    if (!subscriptionId && !orderId && (!post || !payer)) return;
    printing += 1;
    papers = papers.then(async () => {
      await printReceipt({ paymentId, at: clock() });
      printing -= 1;
      if (payer) post?.write('payment_received', payer, { paymentId }, `payment/${paymentId}`);
    });
  }

  async function tellWhoWaits(outcome: InvoiceClosed['outcome'], about: InvoiceId = invoiceId): Promise<void> {
    const who = whoWaits();
    if (!who) return;
    const waiting = getExternalWorkflowHandle(who);
    // It may have ended: a payment that is back after a reversal finds the licence issued long ago.
    await orNull(waiting.signal(invoiceClosedSignal, { invoiceId: about, outcome }));
  }

  function whoWaits(): string | null {
    if (applicationId) return activationId(applicationId);
    if (orderId) return orderProcess(orderId);
    return subscriptionId && subscriptionProcess(subscriptionId);
  }

  async function tellFinance(kind: PaymentCaseKind, said: Confirmed): Promise<void> {
    if (kind !== 'late' || !said.paid) return;
    const paid = { amount: said.paid, gateway: said.attempt.gateway };
    const about = `payment/${said.attempt.paymentId}`;
    for (const person of await financeStaff())
      post?.write('payment_late', person, { paid, paymentId: said.attempt.paymentId }, about);
  }

  /** What the policy gives back goes its own way; where it cannot be started now, the sweep of what waits does. */
  async function startRefund(refundId: RefundId): Promise<void> {
    const input: RefundInput = { refundId };
    const options = { workflowId: refundProcess(refundId), args: [input], staticSummary: 'Refund of a payment' };
    await orNull(startChild('refund', { ...options, parentClosePolicy: ParentClosePolicy.ABANDON }));
  }

  function show(): void {
    const lines = watched.map(
      ({ attempt, looks }) =>
        `| ${attempt.attempt} | ${attempt.gateway} | ${attempt.state} | ${looks[0] ? new Date(looks[0]).toISOString() : '–'} |`,
    );
    setCurrentDetails(
      [
        `Invoice **${invoiceState}**${isPartPaid && invoiceState === 'open' ? ', paid in part' : ''}`,
        '',
        '| attempt | gateway | state | asked about next |',
        '| --- | --- | --- | --- |',
        ...lines,
      ].join('\n'),
    );
  }
}

const NOT_OPEN = refusal(
  'invoice_not_open',
  'The invoice is not open: it was paid, or its time is over. Read it again.',
);
const PART_PAID = refusal(
  'invoice_part_paid',
  'A part of the invoice has been paid, so it cannot be voided. Refund that part first.',
);
const OF_SUBSCRIPTION = refusal(
  'invoice_of_subscription',
  'The invoice belongs to a subscription. Change or cancel the subscription instead; what was paid can be refunded.',
);
const OF_ORDER = refusal(
  'invoice_of_order',
  'The invoice belongs to an order. Cancel or edit the order instead; what was paid is given back.',
);
const AWAY = 'gateway_unavailable';
const NO_CREDIT = refusal('no_store_credit', 'The company has no credit that this invoice could be paid with.');
const UNDER_WAY = refusal(
  'payment_unclear',
  'A payment of this invoice is under way and the gateway cannot stop it. Try again when it has ended.',
  { retryAfterSeconds: 300 },
);
const GATEWAY_AWAY = refusal(
  'gateway_unavailable',
  'The payment gateway does not answer. Try again in a few minutes; nothing was charged.',
  { retryAfterSeconds: 60 },
);

const isOpen = ({ state }: Attempt): boolean => isOpenPayment(state);

const isOver = ({ expiresAt }: Attempt): boolean => Date.parse(expiresAt) <= Date.now();

/** Where the gateway cannot end a page that nobody has chosen a channel on, that page is what the payer gets after all. */
const isAnother = ({ gateway, method }: PayRequest, attempt: Attempt): boolean =>
  gateway !== attempt.gateway || (method !== undefined && method !== attempt.method);

/** An attempt that is over is still asked about after its expiry: gateways settle late, and money is money. */
function watch(attempt: Attempt): Watched {
  const settled = attempt.state === 'paid' || attempt.state === 'reversed';
  const created = Date.parse(attempt.createdAt);
  const expires = Date.parse(attempt.expiresAt);
  const soon = isOpen(attempt) ? POLL_AFTER_MS.map((after) => created + after).filter((at) => at < expires) : [];
  const looks = [...soon, ...POLL_AFTER_EXPIRY_MS.map((after) => expires + after)];
  return { attempt, looks: settled ? [] : looks.filter((at) => at > Date.now()) };
}

function pageOf(attempt: Attempt): OpenPayment {
  const { paymentId, gateway, method, redirectUrl, expiresAt, instructions } = attempt;
  return {
    paymentId,
    gateway,
    method,
    redirectUrl: redirectUrl ?? '',
    expiresAt,
    ...(instructions ? { instructions } : {}),
  };
}

/** What a request is answered with. @throws ApplicationFailure for a refusal */
function granted<T extends object>(answer: T | Refusal | null): T {
  if (answer === null) throw refused(NOT_OPEN);
  if (isRefusal(answer)) throw refused(answer);
  return answer;
}

const isRefusal = (answer: object): answer is Refusal => 'code' in answer && 'facts' in answer;
