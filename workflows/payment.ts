/**
 * Collects one invoice, until it is paid or lapses: opens an attempt when the payer asks, listens for the gateway's
 * notices and, since those may never come, asks by itself; reminds the payer. A notice is a hint; only the gateway's
 * answer to a question counts. At most one attempt is open. The process outlives the invoice's lapse until no attempt
 * can bring money in any more; a notice that comes even later starts it again.
 */
import {
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Attempt, Confirmed } from '../activities/payments.ts';
import type { Refusal } from '../domain/licensing.ts';
import { OPEN_PAYMENT_STATES, type PaymentCaseKind } from '../domain/payments.ts';
import { clock, refusal, refused, refuseIf } from './answers.ts';
import { activationId } from './ids.ts';
import {
  gatewayNoticeSignal,
  invoiceClosedSignal,
  type OpenPayment,
  type PaymentInput,
  type PayRequest,
  payUpdate,
} from './messages.ts';
import {
  ATTEMPT_AT_LEAST_MS,
  ATTEMPT_OPEN_MS,
  LOOK_AGAIN_MS,
  lookUps,
  openings,
  POLL_AFTER_EXPIRY_MS,
  POLL_AFTER_MS,
  records,
} from './policies.ts';
import { openPost } from './post.ts';

const { loadCollection } = proxyActivities<Activities>({ ...records, summary: 'Read what is known of the invoice' });
const { openAttempt } = proxyActivities<Activities>({ ...openings, summary: 'Open a payment attempt at the gateway' });
const { confirmPayment } = proxyActivities<Activities>({
  ...lookUps,
  summary: 'Ask the gateway, write down what it says',
});
const { noteReminder } = proxyActivities<Activities>({ ...records, summary: 'Record a payment reminder' });
const { lapseUnpaid } = proxyActivities<Activities>({ ...records, summary: 'Close the unpaid invoice and its case' });
const { financeStaff } = proxyActivities<Activities>({ ...records, summary: 'Find whom to tell in finance' });

interface Request {
  readonly asked: PayRequest;
  answer: OpenPayment | Refusal | null;
}

/** An attempt and the times at which it will be asked about, the next one first. */
interface Watched {
  attempt: Attempt;
  looks: number[];
}

export async function invoicePayment({ invoiceId, known, remindAt = [] }: PaymentInput): Promise<void> {
  const requests: Request[] = [];
  const notices = new Map<string, string>();
  const reminders = [...remindAt];
  let invoiceState = known?.invoiceState ?? 'open';

  setHandler(
    payUpdate,
    async (asked) => {
      const request: Request = { asked, answer: null };
      requests.push(request);
      await condition(() => request.answer !== null);
      if (request.answer === null || 'code' in request.answer) throw refused(request.answer ?? NOT_OPEN);
      return request.answer;
    },
    { validator: (_request) => refuseIf(invoiceState === 'open' ? null : NOT_OPEN) },
  );
  setHandler(gatewayNoticeSignal, ({ reference, inboxId }) => {
    const newest = notices.get(reference);
    if (!newest || BigInt(newest) < BigInt(inboxId)) notices.set(reference, inboxId);
  });

  const { attempts, applicationId, payer, dueAt } = known ?? (await refreshed());
  const post = applicationId ? openPost(`${workflowInfo().workflowId}/${attempts.length}`, applicationId) : null;
  const watched: Watched[] = attempts.map(watch);

  while (!finished()) {
    await somethingToDo();
    const request = requests.shift();
    const [notice] = notices;
    if (request) await serve(request);
    else if (notice) await answerNotice(...notice);
    else await doWhatIsDue();
    show();
  }
  await post?.delivered();
  await condition(allHandlersFinished);

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function refreshed() {
    const loaded = await loadCollection({ invoiceId });
    invoiceState = loaded.invoiceState;
    return loaded;
  }

  /** Nobody will ask, nobody has told, and no attempt can bring money in any more. */
  function finished(): boolean {
    const quiet = requests.length === 0 && notices.size === 0 && watched.every(({ looks }) => looks.length === 0);
    // While a letter waits for the mail server, a notice may still come, and must find somebody who answers it.
    return quiet && invoiceState !== 'open' && (post?.isEmpty() ?? true);
  }

  async function somethingToDo(): Promise<void> {
    const { at, summary } = nextThing();
    const spoken = () => requests.length > 0 || notices.size > 0 || finished();
    if (at === Number.POSITIVE_INFINITY) await condition(spoken);
    else await condition(spoken, Math.max(1, at - Date.now()), { summary });
  }

  function nextThing(): { at: number; summary: string } {
    const look = Math.min(...watched.flatMap(({ looks }) => looks.slice(0, 1)));
    const reminder = invoiceState === 'open' && reminders[0] ? Date.parse(reminders[0]) : Number.POSITIVE_INFINITY;
    const lapse = invoiceState === 'open' ? Date.parse(dueAt) : Number.POSITIVE_INFINITY;
    if (look <= reminder && look <= lapse) return { at: look, summary: 'Ask the gateway, if no notice comes' };
    return reminder <= lapse
      ? { at: reminder, summary: 'Remind the payer' }
      : { at: lapse, summary: 'The invoice lapses' };
  }

  /** Gives the payer a page to pay on: the one that is open, or a new one once the old can take no money. */
  async function serve(request: Request): Promise<void> {
    const last = watched.at(-1);
    if (last && isOpen(last.attempt) && (isOver(last.attempt) || isAnother(request.asked, last.attempt)))
      await look(last, { expireFirst: true, noticesUpTo: null });
    if (invoiceState !== 'open') request.answer = NOT_OPEN;
    else if (last && isOpen(last.attempt) && last.attempt.redirectUrl) request.answer = pageOf(last.attempt);
    // The answer to its creation was lost: the same attempt is opened again under the same reference, never a second.
    else if (last && isOpen(last.attempt)) request.answer = await open(request.asked, last.attempt.attempt);
    else request.answer = await open(request.asked, (last?.attempt.attempt ?? 0) + 1);
  }

  async function open(asked: PayRequest, number: number): Promise<OpenPayment | Refusal> {
    const latest = Math.max(Date.parse(dueAt), Date.now() + ATTEMPT_AT_LEAST_MS);
    const expiresAt = new Date(Math.min(Date.now() + ATTEMPT_OPEN_MS, latest)).toISOString();
    const attempt = {
      invoiceId,
      attempt: number,
      reference: `${invoiceId}-${number}`,
      method: asked.method ?? null,
      expiresAt,
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

  /** After an answer that was no attempt: what the record says is what there is to watch. */
  async function reload(): Promise<void> {
    for (const attempt of (await refreshed()).attempts) replace(attempt);
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

  async function doWhatIsDue(): Promise<void> {
    const now = Date.now();
    for (const one of watched) {
      const [next] = one.looks;
      if (next !== undefined && next <= now) await look(one, { expireFirst: false, noticesUpTo: null });
    }
    if (invoiceState !== 'open') return;
    if (Date.parse(dueAt) <= now) await lapse();
    else if (reminders[0] && Date.parse(reminders[0]) <= now) await remind();
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
    if (invoiceState !== 'open') return;
    const { state } = await lapseUnpaid({ invoiceId, at: clock() });
    invoiceState = state;
    await tellWhoWaits(state === 'paid' ? 'paid' : 'lapsed');
    if (state === 'lapsed' && payer) post?.write('application_lapsed_unpaid', payer);
  }

  async function look(one: Watched, how: { expireFirst: boolean; noticesUpTo: string | null }): Promise<void> {
    const { reference } = one.attempt;
    one.looks = one.looks.filter((at) => at > Date.now());
    const said = await orNull(confirmPayment({ invoiceId, reference, at: clock(), ...how }));
    if (said) await learn(one, said);
    // The gateway is away. Whoever waits is served meanwhile, and the question is asked again.
    else one.looks = [Date.now() + LOOK_AGAIN_MS, ...one.looks].sort((a, b) => a - b);
  }

  async function learn(one: Watched, said: Confirmed): Promise<void> {
    const wasOpen = invoiceState === 'open';
    one.attempt = said.attempt;
    if (said.attempt.state === 'paid' || said.attempt.state === 'reversed') one.looks = [];
    invoiceState = said.invoiceState;
    if (invoiceState === 'paid' && wasOpen) await tellWhoWaits('paid');
    if (said.caseKind) await tellFinance(said.caseKind, said);
  }

  async function tellWhoWaits(outcome: 'paid' | 'lapsed'): Promise<void> {
    if (!applicationId) return;
    await getExternalWorkflowHandle(activationId(applicationId)).signal(invoiceClosedSignal, { invoiceId, outcome });
  }

  async function tellFinance(kind: PaymentCaseKind, said: Confirmed): Promise<void> {
    if (kind !== 'late' || !said.paid) return;
    const paid = { amount: said.paid, gateway: said.attempt.gateway };
    for (const person of await financeStaff()) post?.write('payment_late', person, { paid });
  }

  function show(): void {
    const lines = watched.map(
      ({ attempt, looks }) =>
        `| ${attempt.attempt} | ${attempt.gateway} | ${attempt.state} | ${looks[0] ? new Date(looks[0]).toISOString() : '–'} |`,
    );
    setCurrentDetails(
      [
        `Invoice **${invoiceState}**`,
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
const GATEWAY_AWAY = refusal(
  'gateway_unavailable',
  'The payment gateway does not answer. Try again in a few minutes; nothing was charged.',
  { retryAfterSeconds: 60 },
);

const isOpen = ({ state }: Attempt): boolean => OPEN_PAYMENT_STATES.some((open) => open === state);

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
  const { paymentId, redirectUrl, expiresAt, instructions } = attempt;
  return { paymentId, redirectUrl: redirectUrl ?? '', expiresAt, ...(instructions ? { instructions } : {}) };
}

/** An activity that gave up under its policy; what is cancelled stays cancelled. */
async function orNull<T>(activity: Promise<T>): Promise<T | null> {
  try {
    return await activity;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
}
