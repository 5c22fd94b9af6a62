import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { NativeConnection } from '@temporalio/worker';
import type { CardsOnFile } from '../../activities/gateways/gateway.ts';
import { asId, type CompanyId, type PaymentMethodId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { createWorkers } from '../../worker/create.ts';
import { cardId, forgetCardId } from '../../workflows/ids.ts';
import { cardPageUpdate } from '../../workflows/messages.ts';
import { temporal } from '../support/machine.ts';
import { scriptedGateway } from '../support/scripted-gateway.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem, workflowBundle } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const A_SECOND = 8;
const CARDS = 48;
/** Temporal keeps a queue in four parts, each with its share of the limit, and each saves up as many as three while nobody asks. */
const SAVED_UP = 12;
const LEEWAY_MS = 1_000;

describe('the queue of the gateways', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let story: Story;
  const natives: NativeConnection[] = [];
  let companyId: CompanyId;
  const stops: (() => Promise<void>)[] = [];
  /** What the gateway was asked. */
  const asked: Question[] = [];
  const forgotten = () => asked.filter((what) => what === 'detach').length;

  before(async () => {
    system = await startSystem({ worker: false });
    story = storyOf(system);
    const company: { id: CompanyId } | undefined = await system.database.db('companies').first('id');
    assert.ok(company);
    companyId = company.id;
    await Promise.all([work(), work()]);
  });
  after(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await Promise.all(natives.map((native) => native.close()));
    await system?.close();
  });

  const work = async () => {
    // As processes do: one connection cannot hold two workers of a queue.
    const connection = await NativeConnection.connect({ address: (await temporal()).address });
    natives.push(connection);
    const workers = await createWorkers({
      connection,
      namespace: 'default',
      taskQueue: system.taskQueue,
      maxCachedWorkflows: 50,
      gatewayCallsPerSecond: A_SECOND,
      shutdownGraceSeconds: 2,
      workflowBundle: await workflowBundle(),
      deps: { ...system.deps, gateways: { stripe: { ...scriptedGateway('stripe'), cards: cardsNotedIn(asked) } } },
      build: null,
    });
    const ended = workers.run();
    stops.push(async () => {
      workers.shutdown();
      await ended;
    });
  };

  it('hands out so many a second over all workers, and holds up neither decisions nor who waits for a page', async () => {
    const application = await story.submitted('restaurant');
    const verifier = await story.holder(application, 'document_verification');
    const cards = await removedCards(system, companyId);

    await Promise.all(cards.map((id) => forget(system, id)));
    await eventually('the first question', async () => forgotten() > 0);
    const decide = () => story.call('POST', `licenses/approve/${application}`, { as: verifier, body: {} });
    const [page, left] = await Promise.all([
      openPage(system, companyId),
      story.expect(200, decide()).then(() => CARDS - forgotten()),
    ]);
    assert.ok(left > 0, 'the decision was answered only after everything that had waited for a gateway');

    await eventually('every card to be forgotten', async () => forgotten() === CARDS);
    const questions = await Promise.all(cards.map((id) => questionOf(system, forgetCardId(id))));
    const handedOut = questions.map(({ handedOutAt }) => handedOutAt).toSorted((one, other) => one - other);
    const opening = await questionOf(system, page);
    const laterThan = (at: number) => handedOut.filter((other) => other > at).length;
    const [waited, overtaken] = [laterThan(opening.askedAt), laterThan(opening.handedOutAt)];
    assert.ok(overtaken >= waited / 2, `the page overtook ${overtaken} of ${waited} that had come before it`);

    for (const [index, at] of handedOut.entries()) {
      const within = handedOut.slice(index).filter((other) => other < at + 1_000).length;
      assert.ok(within <= A_SECOND + SAVED_UP, `${within} within a second: ${told(handedOut)}`);
    }
    const lasted = (handedOut.at(-1) ?? 0) - (handedOut[0] ?? 0);
    const atLeast = ((CARDS - SAVED_UP) * 1_000) / A_SECOND - LEEWAY_MS;
    assert.ok(lasted >= atLeast, `${CARDS} within ${lasted} ms: ${told(handedOut)}`);
  });
});

const told = (times: readonly number[]): string => times.map((at) => at - (times[0] ?? 0)).join(', ');

type Question = 'detach' | 'open';

function cardsNotedIn(asked: Question[]): CardsOnFile {
  const note = (what: Question) => void asked.push(what);
  const unheardOf = () => Promise.reject(new Error('nobody asks for this here'));
  return {
    openSetup: async ({ id, expiresAt }) => {
      note('open');
      return { customer: 'cus_1', session: `cs_${id}`, url: `https://pay.example.test/${id}`, expiresAt };
    },
    detach: async () => note('detach'),
    lookUpSetup: unheardOf,
    lookUpCharge: unheardOf,
    charge: unheardOf,
  };
}

async function removedCards({ database }: TestSystem, companyId: CompanyId): Promise<PaymentMethodId[]> {
  const ids = Array.from({ length: CARDS }, () => asId<PaymentMethodId>(randomUUID()));
  const card = {
    company_id: companyId,
    gateway: 'stripe',
    customer_reference: 'cus_1',
    brand: 'visa',
    last4: '4242',
    expires_month: 12,
    expires_year: 2031,
    added_by: demoUserId('owner'),
    created_at: new Date(),
    removed_at: new Date(),
  };
  await database.db('payment_methods').insert(ids.map((id) => ({ ...card, id, method_reference: `pm_${id}` })));
  return ids;
}

/** When the process asked its first question and when Temporal handed it to a worker, by Temporal's clock; epoch milliseconds. */
async function questionOf(
  { client }: TestSystem,
  workflowId: string,
): Promise<{ askedAt: number; handedOutAt: number }> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const at = (event: NonNullable<typeof events>[number] | undefined) => {
    assert.ok(event?.eventTime);
    return Number(event.eventTime.seconds) * 1_000 + Math.round((event.eventTime.nanos ?? 0) / 1e6);
  };
  return {
    askedAt: at(events?.find((event) => event.activityTaskScheduledEventAttributes)),
    handedOutAt: at(events?.find((event) => event.activityTaskStartedEventAttributes)),
  };
}

const forget = ({ client, taskQueue }: TestSystem, id: PaymentMethodId) =>
  client.workflow.start('forgetCard', { workflowId: forgetCardId(id), taskQueue, args: [{ cardId: id }] });

async function openPage({ client, taskQueue }: TestSystem, companyId: CompanyId): Promise<string> {
  const id = asId<PaymentMethodId>(randomUUID());
  const [startedAt, expiresAt] = [Date.now(), Date.now() + 3_600_000].map((time) => new Date(time).toISOString());
  const input = { cardId: id, companyId, by: demoUserId('owner'), locale: 'id', startedAt, expiresAt };
  const process = await client.workflow.start('addCard', { workflowId: cardId(id), taskQueue, args: [input] });
  await process.executeUpdate(cardPageUpdate);
  return process.workflowId;
}
