/** Plays one scenario through the public API, the sandboxes' control and time travel, then has everybody do their work to the end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Knex } from 'knex';
import { z } from 'zod';
import {
  asId,
  type InvoiceId,
  type OrderId,
  type OrderItemId,
  type PaymentId,
  type RefundId,
  type ReturnId,
  type Sku,
} from '../../../domain/ids.ts';
import { HEARD_IN, isReturnOver, type ReturnMessageKind, type ReturnState } from '../../../domain/returns.ts';
import type { DemoAccount } from '../../../local/demo-data.ts';
import { orderId as orderProcess, paymentId, refundId, rmaId } from '../../../workflows/ids.ts';
import type { TestSystem } from '../../support/system.ts';
import { travel } from '../../support/time.ts';
import { brokenNow, isRunning, sleepsForEver } from './invariants.ts';
import type { Command, Scenario, WebhookMode } from './scenario.ts';
import { ask, type Headers, type Played, SHIP_TO, STORE } from './world.ts';

const DAY_SECONDS = 86_400;
const SETTLE_ROUNDS = 40;

export interface Stage {
  readonly system: TestSystem;
  /** As `kill -9` does it; resolves when another works in its place. */
  killWorker(): Promise<void>;
  /** For the tally of what was lived through. */
  heard(command: Command, answer: string): void;
  /** The standing schedules, once. */
  sweep(): Promise<void>;
}

const problem = z.looseObject({ code: z.string() });

export function playerOf(stage: Stage, game: Played) {
  const { system } = stage;
  const { db } = system.database;
  const { client } = system;
  /** What was said last to each return, and answered: whoever does not come to rest may be refused. */
  const helped = new Map<ReturnId, string>();

  /** @param log gets what was done and answered, also of a play that breaks off */
  async function play({ commands }: Scenario, log: string[]): Promise<void> {
    for (const [index, command] of commands.entries()) {
      const answer = await one(command);
      stage.heard(command, answer);
      log.push(`${JSON.stringify(command)} → ${answer}`);
      if (index % 4 === 3) await mustBeSound();
    }
  }

  // ---- one command ----------------------------------------------------------------------------------------------------

  async function one(command: Command): Promise<string> {
    const id = game.orders[command.order];
    if (!id) return 'no order';
    switch (command.do) {
      case 'pay':
        return pay(id, command);
      case 'pay-credit': {
        const invoice = await invoiceToPay(id);
        return invoice ? say('POST', `invoices/${invoice}/pay-with-credit`, game.owner) : 'nothing to pay';
      }
      case 'edit':
        return edit(id, command);
      case 'pay-fault': {
        const { operation, kind } = command;
        const paid = operation.startsWith('refund') ? (await paidOnes()).findLast(({ of }) => of === id) : undefined;
        if (paid) return control('faults', { operation, kind, times: 1, reference: paid.reference });
        const invoice = (await openInvoices(id)).at(-1);
        if (!invoice) return 'nothing to pay';
        const [known] = await db('payments').where({ invoice_id: invoice }).max({ attempt: 'attempt' });
        const attempt = Number(known?.['attempt'] ?? 0) + (operation === 'create' ? 1 : 0);
        return control('faults', { operation, kind, times: 1, reference: `${invoice}-${attempt}` });
      }
      case 'cancel': {
        const items = await someOf(id, command.item);
        const as = command.by === 'owner' ? game.owner : await system.as('seller');
        return say(
          'POST',
          `orders/${id}/cancel`,
          as,
          items ? { items: items.map(({ id: it }) => ({ orderItemId: it, quantity: 1 })) } : {},
        );
      }
      case 'hold':
      case 'release':
        return say('POST', `orders/${id}/${command.do}`, await system.as('seller'));
      case 'ship':
        return ship(id, command);
      case 'pack':
        return say('POST', `orders/${await orderWith(id, isReady)}/pack`, await system.as('warehouse'));
      case 'deliver':
        return deliver(id, command.part);
      case 'take-back':
        return takeBack(id);
      case 'refund-fail':
        return failRefund(id, command);
      case 'charge-back':
        return chargeBack(id, command);
      case 'receive-stock':
        return receiveStock(command.product, command.quantity);
      case 'carrier':
        return carried(id, command);
      case 'carrier-fault': {
        const { operation, kind } = command;
        return control('shipments/faults', { operation, kind, times: 1 });
      }
      case 'return':
        return askBack(id, command);
      case 'wait':
        return waitOf(id, command.whose, command.seconds);
      case 'look-round':
        await mustBeAwake();
        return 'all are awake';
      case 'kill-worker':
        await stage.killWorker();
        return 'killed';
      default:
        return sayToReturn(id, command);
    }
  }

  async function pay(id: OrderId, { event, webhook, method }: Extract<Command, { do: 'pay' }>): Promise<string> {
    const invoice = await invoiceToPay(id);
    if (!invoice) return 'nothing to pay';
    const body = { gateway: 'midtrans', ...(method === 'page' ? {} : { method }) };
    const opened = await say('POST', `invoices/${invoice}/pay`, game.owner, body);
    const reference = (await attemptsOf(invoice)).at(-1);
    if (!reference) return `${opened}, no attempt`;
    // By a wallet it can go back, too.
    const query = `?${saying(webhook)}${method === 'page' ? '&channel=gopay' : ''}`;
    const told = await control(`payments/${reference}/${event}${query}`);
    if (told === '200' && !isTold(webhook)) return `${opened}, ${told}, nobody is told`;
    // The order hears of it a moment after the invoice.
    const { order_id: of } = await db('invoices').where({ id: invoice }).first('order_id');
    const isKnown = await inAMoment(
      async () =>
        !(await openInvoices(of)).includes(invoice) && (await countOf('orders', { id: of, state: 'pending' })) === 0,
    );
    return `${opened}, ${told}, ${isKnown ? 'closed' : 'open'}`;
  }

  /** Of the order; else what is charged for an exchange; else one that was closed. */
  async function invoiceToPay(id: OrderId): Promise<InvoiceId | undefined> {
    const open = (await openInvoices(id)).at(-1);
    if (open) return open;
    for (const { id: other, kind } of await ordersOf()) {
      const charged = kind === 'sale' ? undefined : (await openInvoices(other)).at(-1);
      if (charged) return charged;
    }
    return (await invoicesOf(id)).at(-1);
  }

  async function edit(id: OrderId, { product, quantity }: Extract<Command, { do: 'edit' }>): Promise<string> {
    const order = await orderWith(id, async (one) =>
      ['pending', 'confirmed', 'on_hold', 'backordered'].includes(one.state),
    );
    const body =
      quantity === null
        ? { shipTo: { ...SHIP_TO, street: 'Jalan Anggrek 12' } }
        : { items: [{ sku: game.skus[product], quantity }] };
    return say('POST', `orders/${order}/edit`, game.owner, body);
  }

  /** The one that is named, where it is of use for this; else the newest other one. */
  async function orderWith(id: OrderId, isSo: (order: Order) => Promise<boolean>): Promise<OrderId> {
    const all = await ordersOf();
    const others = all.filter((one) => one.id !== id).toReversed();
    for (const one of [...all.filter((order) => order.id === id), ...others]) if (await isSo(one)) return one.id;
    return id;
  }

  const isReady = async ({ id, state }: Order): Promise<boolean> =>
    ['confirmed', 'processing', 'partially_shipped', 'backordered'].includes(state) &&
    (await countOf('order_units', { order_id: id, state: 'reserved' })) > 0;

  async function ship(named: OrderId, how: Extract<Command, { do: 'ship' }>): Promise<string> {
    const { item, quantity, carrier } = how;
    const id = await orderWith(named, isReady);
    const items = (await someOf(id, item)) ?? (await itemsOf(id));
    const wishes = await Promise.all(
      items.map(async ({ id: orderItemId, sku, tracking }) => {
        const reserved = await countOf('order_units', { order_item_id: orderItemId, state: 'reserved' });
        const some = item === null ? reserved : Math.min(quantity, reserved);
        const serials = tracking === 'serial' ? await serialsOnShelf(sku, some) : null;
        return { orderItemId, quantity: some, ...(serials ? { serials } : {}) };
      }),
    );
    const body = { items: wishes.filter((wish) => wish.quantity > 0), carrier };
    if (body.items.length === 0) return 'nothing is ready';
    const own = carrier === 'jne' ? { trackingNumber: `JNE${randomUUID().slice(0, 8)}` } : {};
    const warehouse = await system.as('warehouse');
    const answer = await say('POST', `orders/${id}/ship`, warehouse, { ...body, ...own });
    // Whoever packs it prints its label, which is bought with that.
    const unlabelled = { order_id: id, direction: 'out', tracking_number: null };
    const parcels: string[] = await db('shipments').where(unlabelled).pluck('id');
    for (const parcel of parcels) await say('GET', `shipments/${parcel}/label`, warehouse);
    return answer;
  }

  async function deliver(named: OrderId, part: 'all' | 'one'): Promise<string> {
    const warehouse = await system.as('warehouse');
    if (part === 'all') return say('POST', `orders/${named}/deliver`, warehouse);
    const parcel = await parcelSentTo(named);
    return parcel ? say('POST', `orders/${parcel.of}/deliver`, warehouse, { shipmentId: parcel.id }) : 'no parcel';
  }

  async function takeBack(named: OrderId): Promise<string> {
    const parcel = await parcelSentTo(named);
    const as = await system.as('warehouse');
    return parcel ? say('POST', `orders/${parcel.of}/returned-to-sender`, as, { shipmentId: parcel.id }) : 'no parcel';
  }

  /** The newest that has not arrived, of this order if it has one. */
  async function parcelSentTo(id: OrderId): Promise<{ id: string; of: OrderId } | undefined> {
    const orders = (await ordersOf()).map((one) => one.id);
    const sent: { id: string; of: OrderId }[] = await db('shipments')
      .whereIn('order_id', orders)
      .where({ direction: 'out' })
      .whereNot({ state: 'delivered' })
      .orderBy('created_at')
      .select({ id: 'id', of: 'order_id' });
    return sent.findLast(({ of }) => of === id) ?? sent.at(-1);
  }

  // ---- what a gateway takes back --------------------------------------------------------------------------------------

  /** Of what was to go back, all that waits for a second person is agreed to and sent first. */
  async function failRefund(id: OrderId, { webhook, nth }: AtGateway): Promise<string> {
    const supervisor = await system.as('supervisor');
    for (const asked of (await openRefunds()).filter(({ state }) => state === 'requested'))
      await say('POST', `refunds/${asked.id}/approve`, supervisor);
    await inAMoment(async () => !(await openRefunds()).some(({ state }) => ['approved', 'reserved'].includes(state)));
    const sent = await refundsWhere((query) =>
      query.where('r.channel', 'gateway').whereIn('r.state', ['submitted', 'pending', 'unknown', 'succeeded']),
    );
    const one = nthOf(await preferred(id, sent), nth);
    if (!one?.reference) return 'no refund';
    const failed = async () => countOf('refunds', { payment_id: one.paymentId, state: 'failed' });
    const before = await failed();
    const told = await control(`payments/${one.reference}/refund-fail?${saying(webhook)}`);
    if (told !== '200' || !isTold(webhook)) return `${told}, ${webhook}`;
    return `${told}, ${(await inAMoment(async () => (await failed()) > before)) ? 'failed' : 'still thought good'}`;
  }

  async function chargeBack(id: OrderId, { webhook, nth }: AtGateway): Promise<string> {
    const one = nthOf(await preferred(id, await paidOnes()), nth);
    if (!one) return 'nothing paid';
    const told = await control(`payments/${one.reference}/reverse?${saying(webhook)}`);
    if (told !== '200' || !isTold(webhook)) return `${told}, ${webhook}`;
    const isKnown = await inAMoment(
      async () => (await countOf('payments', { gateway_reference: one.reference, state: 'reversed' })) > 0,
    );
    return `${told}, ${isKnown ? 'reversed' : 'still thought paid'}`;
  }

  const paidOnes = (): Promise<{ of: OrderId; reference: string }[]> =>
    db('payments as p')
      .join('invoices as i', 'i.id', 'p.invoice_id')
      .where({ 'i.company_id': game.companyId, 'p.state': 'paid' })
      .orderBy(['i.issued_at', 'p.attempt'])
      .select({ of: 'i.order_id', reference: 'p.gateway_reference' });

  /** Of the order, where there are any; else of whichever. */
  async function preferred<T extends { readonly of: OrderId }>(id: OrderId, all: readonly T[]): Promise<T[]> {
    const own = all.filter(({ of }) => of === id);
    return own.length > 0 ? own : [...all];
  }

  async function receiveStock(product: number, quantity: number): Promise<string> {
    const sku = game.skus[product];
    if (!sku) return 'no product';
    const serials = game.newSerials(product, quantity);
    const body = { location: STORE, quantity, ...(serials.length > 0 ? { serials } : {}) };
    return say('POST', `stock/${sku}/receive`, await system.as('warehouse'), body);
  }

  async function carried(id: OrderId, command: Extract<Command, { do: 'carrier' }>): Promise<string> {
    const { event, webhook } = command;
    const number = await parcelFor(id, command);
    if (!number) return 'no parcel';
    const before = await stateOfParcel(number);
    const told = await control(`shipments/${number}/${event}?${saying(webhook)}`);
    if (told !== '200' || !isTold(webhook)) return `${told}, still ${before}`;
    const isKnown = await inAMoment(async () => (await stateOfParcel(number)) !== before);
    return `${told}, ${isKnown ? await stateOfParcel(number) : `still ${before}`}`;
  }

  /** Of the order, else of another; mostly one of which this can still be told. */
  async function parcelFor(
    id: OrderId,
    { event, way, nth }: Extract<Command, { do: 'carrier' }>,
  ): Promise<string | undefined> {
    const orders = (await ordersOf()).map((one) => one.id);
    const parcels = async (): Promise<{ number: string | null; state: string; of: OrderId }[]> =>
      db('shipments')
        .whereIn('order_id', orders)
        .where({ carrier: 'kurir', ...(way === 'any' ? {} : { direction: way }) })
        .orderBy('created_at')
        .select({ number: 'tracking_number', state: 'state', of: 'order_id' });
    // The label of what comes back is bought a moment after it was agreed to.
    await inAMoment(async () => (await parcels()).every(({ number }) => number !== null));
    const known = (await parcels()).filter(({ number }) => number !== null);
    const isOpen = (state: string) =>
      event === 'find' ? state === 'lost' : !['delivered', 'sent_back'].includes(state);
    const open = known.filter(({ state }) => isOpen(state));
    const own = open.filter(({ of }) => of === id);
    const choice = nth > 0 ? known : [own, open, known].find((some) => some.length > 0);
    return nthOf(choice ?? [], nth)?.number ?? undefined;
  }

  async function stateOfParcel(number: string): Promise<string> {
    const row: { state: string } | undefined = await db('shipments').where({ tracking_number: number }).first('state');
    return row?.state ?? 'unknown';
  }

  async function askBack(named: OrderId, command: Extract<Command, { do: 'return' }>): Promise<string> {
    const hasArrived = async (where: Readonly<Record<string, string>>) =>
      (await countOf('order_units', { ...where, state: 'delivered' })) > 0;
    const id = await orderWith(named, (one) => hasArrived({ order_id: one.id }));
    const items = await itemsOf(id);
    const arrived = await Promise.all(
      items.map(async (one) => ({ one, is: await hasArrived({ order_item_id: one.id }) })),
    );
    const there = arrived.flatMap(({ one, is }) => (is ? [one] : []));
    const choice = there.length > 0 ? there : items;
    const item = choice[command.item % choice.length];
    if (!item) return 'no item';
    const { number, quantity, reason, wanted, atOnce } = command;
    const body = {
      orderId: id,
      items: [{ orderItemId: item.id, reason, ...(number === null ? { quantity } : { number }) }],
      refundMethod: wanted,
      ...(wanted === 'exchange' ? { exchangeSku: game.skus[command.exchangeFor] } : {}),
    };
    const asked = Array.from({ length: atOnce }, () => say('POST', 'returns', game.owner, body));
    return (await Promise.all(asked)).join(' and ');
  }

  async function sayToReturn(id: OrderId, command: ToReturn): Promise<string> {
    const it = await returnFor(id, command);
    if (!it) return 'no return';
    const [as, path, body] = await wordOf(it.id, command);
    return say('POST', `returns/${it.id}/${path}`, as, body);
  }

  /** Mostly the newest that listens to this. */
  async function returnFor(id: OrderId, command: ToReturn) {
    const [own, all] = [await returnsOf(id), await allReturns()];
    if (command.nth > 0) return nthOf(own.length > 0 ? own : all, command.nth);
    const states = HEARD_IN[KIND_OF[command.do]];
    const listening = ({ state }: { state: ReturnState }) => states.includes(state);
    return own.findLast(listening) ?? all.findLast(listening) ?? own.at(-1) ?? all.at(-1);
  }

  async function wordOf(id: ReturnId, command: ToReturn): Promise<[Headers, string, unknown]> {
    const [seller, warehouse, supervisor] = await Promise.all(STAFF.map((account) => system.as(account)));
    if (!seller || !warehouse || !supervisor) throw new Error('the shop has no staff');
    switch (command.do) {
      case 'approve':
        return [seller, 'approve', await oneUnitOf(id, command.part, 'requested')];
      case 'reject':
        return [seller, 'reject', { reason: 'not what we sold' }];
      case 'request-info':
        return [seller, 'request-info', { question: 'Which one?' }];
      case 'provide-info':
        return [game.owner, 'provide-info', { answer: 'The red one.' }];
      case 'cancel-return':
        return [game.owner, 'cancel', {}];
      case 'receive':
        return command.part === 'complete'
          ? [warehouse, 'receive', { complete: true }]
          : [warehouse, 'receive', await oneUnitOf(id, command.part, 'authorised')];
      case 'inspect': {
        const { condition, disposition, part, by } = command;
        const { items } = await oneUnitOf(id, part, 'received');
        const found = { condition, disposition };
        const body = items ? { items: items.map((unit) => ({ ...unit, ...found })) } : found;
        return [by === 'seller' ? seller : warehouse, 'inspect', body];
      }
      case 'resolve': {
        const { resolution } = command;
        return [
          game.owner,
          'resolve',
          { resolution, ...(resolution === 'exchange' ? { exchangeSku: game.skus[command.exchangeFor] } : {}) },
        ];
      }
      case 'accept-deduction':
        return [game.owner, 'accept-deduction', {}];
      case 'dispute':
        return [game.owner, 'dispute', { reason: 'It was whole.' }];
      case 'decide-dispute':
        return [supervisor, 'decide-dispute', { decision: command.decision, note: 'looked at it again' }];
      case 'continue':
        return [supervisor, 'continue', { to: command.to, note: 'as agreed by telephone' }];
    }
  }

  async function oneUnitOf(returnId: ReturnId, part: string, state: string): Promise<{ items?: UnitName[] }> {
    if (part === 'all') return {};
    const units: UnitName[] = await db('return_units')
      .where({ return_id: returnId, state })
      .orderBy(['order_item_id', 'number'])
      .limit(1)
      .select({ orderItemId: 'order_item_id', number: 'number' });
    return units.length > 0 ? { items: units } : {};
  }

  async function waitOf(id: OrderId, whose: 'order' | 'payment' | 'return', seconds: number): Promise<string> {
    const invoice = (await invoicesOf(id)).at(-1);
    const back = (await returnsOf(id)).at(-1);
    if (whose === 'order') return wait(orderProcess(id), seconds);
    if (whose === 'payment') return invoice ? wait(paymentId(invoice), seconds) : 'no invoice';
    return back ? wait(rmaId(back.id), seconds) : 'no return';
  }

  // ---- to the end -----------------------------------------------------------------------------------------------------

  /** Everybody does their work, time goes on, until nothing is open. @throws Error naming what does not come to rest */
  async function settle(): Promise<void> {
    for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
      const helped = await helpAll(round);
      const running = await runningOnes();
      if (running.length === 0 && helped === 0) return;
      if (round % 8 === 2) await mustBeAwake();
      await Promise.all(running.map((id) => wait(id, daysFor(round) * DAY_SECONDS)));
      if (round % 4 === 3) await stage.sweep();
      await pause(100);
    }
    throw new Error(`does not come to rest: ${await whatIsLeft()}`);
  }

  /** At first a day at a time, so that people have their turn between two rungs. */
  const daysFor = (round: number): number => (round < 6 ? 2 : 12);

  /** @returns how many things there were to do */
  async function helpAll(round: number): Promise<number> {
    let todo = 0;
    for (const order of await ordersOf()) todo += await helpOrder(order, round);
    for (const { id, state } of await allReturns()) todo += await helpReturn(id, state, round);
    for (const refund of await openRefunds()) todo += await helpRefund(refund);
    for (const one of await openCases()) todo += await helpCase(one);
    return todo;
  }

  async function helpOrder({ id, state, kind }: Order, round: number): Promise<number> {
    const seller = await system.as('seller');
    const isOver = ['cancelled', 'refunded', 'delivered', 'returned'].includes(state);
    if (state === 'on_hold') await say('POST', `orders/${id}/release`, seller);
    // Some pay the difference of an exchange, some let it be.
    if (state === 'pending' && kind !== 'sale' && isOdd(id))
      await pay(id, { order: 0, do: 'pay', event: 'pay', webhook: 'once', method: 'page' });
    if (await countOf('order_units', { order_id: id, state: 'waiting' })) {
      if (round > 8) await say('POST', `orders/${id}/cancel`, seller);
      else for (const product of [0, 1, 2]) await receiveStock(product, 3);
    }
    if (['confirmed', 'processing', 'partially_shipped'].includes(state))
      await ship(id, { order: 0, do: 'ship', item: null, quantity: 1, carrier: 'kurir' });
    if (['shipped', 'partially_shipped'].includes(state) && round > 2)
      await say('POST', `orders/${id}/deliver`, await system.as('warehouse'));
    // What was lost is given back; what was charged back is not sent.
    const lost = round > 3 ? await countOf('order_units', { order_id: id, state: 'lost' }) : 0;
    const isUnpaid = round > 3 && !isOver && (await countOf('invoices', { order_id: id, state: 'reversed' })) > 0;
    if (lost > 0 || isUnpaid) await say('POST', `orders/${id}/cancel`, seller);
    return isOver && lost === 0 ? 0 : 1;
  }

  async function helpReturn(id: ReturnId, state: ReturnState, round: number): Promise<number> {
    const word = round < 12 ? WORK[state] : (LAST_WORK[state] ?? WORK[state]);
    // What has begun to be paid and cannot be ends by the word of a person, who knows why.
    if (round >= 12 && state === 'manual_review') await help(id, CLOSED);
    // What its carrier has brought and nobody has counted is counted first.
    if (word && (await help(id, word)).includes('items_not_known')) await help(id, RECEIVE);
    return isReturnOver(state) ? 0 : 1;
  }

  async function help(id: ReturnId, word: Word): Promise<string> {
    const [as, path, body] = await wordOf(id, { ...word, order: 0, nth: 0 });
    const answer = await say('POST', `returns/${id}/${path}`, as, body);
    helped.set(id, `${path} → ${answer}`);
    return answer;
  }

  /** What came back late finds another way; what never left is the business of its return, where it has one. */
  async function helpCase({ id, kind, returnId }: OpenCase): Promise<number> {
    const finance = await system.as('finance');
    const ways = kind !== 'refund_failed' ? [] : isOdd(id) ? ['store_credit'] : ['refund', 'store_credit'];
    for (const resolution of ['nothing_to_do', ...(returnId ? ways : ['refund', ...ways]), 'other_income']) {
      const body = { resolution, note: 'looked at it' };
      if ((await say('POST', `admin/reconciliation/${id}/resolve`, finance, body)) === '200') break;
    }
    return 1;
  }

  async function helpRefund({ id, state, reference }: RefundOfGame): Promise<number> {
    if (state === 'requested') await say('POST', `refunds/${id}/approve`, await system.as('supervisor'));
    if (state === 'awaiting_destination')
      await say('POST', `refunds/${id}/destination`, game.owner, isOdd(id) ? ACCOUNT : { channel: 'store_credit' });
    if (state === 'transfer_due') {
      const told = {
        bankReference: `TRF ${id.slice(0, 8)}`,
        transferredAt: new Date().toISOString(),
        nameChecked: true,
      };
      await say('POST', `refunds/${id}/transferred`, await system.as('finance'), told);
    }
    if (['submitted', 'pending', 'unknown'].includes(state) && reference)
      await control(`payments/${reference}/refund-settle`);
    return 1;
  }

  /** Every process that this game has, wherever it stands. */
  async function processes(): Promise<string[]> {
    const ids: string[] = [];
    for (const { id } of await ordersOf()) {
      ids.push(orderProcess(id), ...(await invoicesOf(id)).map(paymentId));
    }
    ids.push(
      ...(await allReturns()).map(({ id }) => rmaId(id)),
      // Also those that have succeeded: the process asks days later whether the money came back.
      ...(await refundsWhere((query) => query)).map(({ id }) => refundId(id)),
    );
    return ids;
  }

  /** @throws Error saying what is wrong */
  async function mustBeSound(): Promise<void> {
    const wrong = await brokenNow(db, game);
    if (wrong.length > 0) throw new Error(wrong.join('\n  '));
  }

  /** @throws Error naming who sleeps with nothing to wake them */
  async function mustBeAwake(): Promise<void> {
    for (const id of await processes()) {
      if (!(await isRunning(client, id)) || !(await sleepsForEver(client, id))) continue;
      // It may have ended, or gone on, between the two looks that this takes.
      await pause(1_000);
      if ((await isRunning(client, id)) && (await sleepsForEver(client, id)))
        throw new Error(`${id} waits for nothing that would come`);
    }
  }

  async function runningOnes(): Promise<string[]> {
    const ids = await processes();
    const running = await Promise.all(ids.map(async (id) => [id, await isRunning(client, id)] as const));
    return running.filter(([, is]) => is).map(([id]) => id);
  }

  async function whatIsLeft(): Promise<string> {
    const left = { orders: await ordersOf(), returns: await allReturns(), refunds: await openRefunds() };
    const lastHelp = Object.fromEntries(helped);
    return JSON.stringify({ ...left, cases: await openCases(), lastHelp, running: await runningOnes() });
  }

  // ---- reading --------------------------------------------------------------------------------------------------------

  /** The three, and what was sent in place of what came back. */
  const ordersOf = (): Promise<Order[]> =>
    db('orders').where({ company_id: game.companyId }).orderBy('placed_at').select('id', 'state', 'kind');

  const returnsOf = (id: OrderId): Promise<{ id: ReturnId; state: ReturnState }[]> =>
    db('returns').where({ order_id: id }).orderBy('requested_at').select('id', 'state');

  const allReturns = (): Promise<{ id: ReturnId; state: ReturnState }[]> =>
    db('returns').where({ company_id: game.companyId }).orderBy('requested_at').select('id', 'state');

  const invoicesOf = (id: OrderId): Promise<InvoiceId[]> =>
    db('invoices').where({ order_id: id }).orderBy('issued_at').pluck('id');
  const openInvoices = (id: OrderId): Promise<InvoiceId[]> =>
    db('invoices').where({ order_id: id, state: 'open' }).orderBy('issued_at').pluck('id');
  const attemptsOf = (id: InvoiceId): Promise<string[]> =>
    db('payments').where({ invoice_id: id }).orderBy('attempt').pluck('gateway_reference');

  const openRefunds = (): Promise<RefundOfGame[]> =>
    refundsWhere((query) => query.whereNotIn('r.state', ['succeeded', 'failed', 'rejected', 'cancelled']));

  /** Oldest first. */
  const refundsWhere = (which: (query: Knex.QueryBuilder) => Knex.QueryBuilder): Promise<RefundOfGame[]> =>
    db('refunds as r')
      .leftJoin('payments as p', 'p.id', 'r.payment_id')
      .join('invoices as i', 'i.id', 'r.invoice_id')
      .where('i.company_id', game.companyId)
      .modify((query) => void which(query))
      .orderBy('r.requested_at')
      .select('r.id', 'r.state', { reference: 'p.gateway_reference', paymentId: 'r.payment_id', of: 'i.order_id' });

  const openCases = (): Promise<OpenCase[]> =>
    db('payment_cases as c')
      .join('invoices as i', 'i.id', 'c.invoice_id')
      .leftJoin('refunds as r', 'r.id', 'c.refund_id')
      .where({ 'i.company_id': game.companyId, 'c.state': 'open' })
      .select('c.id', 'c.kind', { returnId: 'r.return_id' });

  const itemsOf = (id: OrderId): Promise<{ id: OrderItemId; sku: Sku; tracking: string }[]> =>
    db('order_items').where({ order_id: id }).orderBy('position').select('id', 'sku', 'tracking');

  async function someOf(id: OrderId, item: number | null) {
    const items = await itemsOf(id);
    const chosen = item === null ? undefined : items[item % items.length];
    return chosen ? [chosen] : null;
  }

  async function countOf(table: string, where: Readonly<Record<string, string>>): Promise<number> {
    const [row] = await db(table).where(where).count({ count: '*' });
    return Number(row?.['count'] ?? 0);
  }

  const serialsOnShelf = (sku: Sku, count: number): Promise<string[]> =>
    db('stock_serials').where({ sku, state: 'in_stock' }).orderBy('serial').limit(count).pluck('serial');

  // ---- saying ---------------------------------------------------------------------------------------------------------

  async function say(method: string, path: string, as: Headers, body?: unknown): Promise<string> {
    const key = randomUUID();
    let { status, text } = await ask(system, method, path, as, body, key);
    // Whoever is told that it takes longer asks again for the same.
    for (let tries = 0; (status === 202 || status === 503) && tries < 30; tries += 1) {
      await pause(500);
      ({ status, text } = await ask(system, method, path, as, body, key));
    }
    const code = status >= 400 ? problem.safeParse(JSON.parse(text)).data?.code : undefined;
    // A body that the API does not understand would prove nothing.
    if (code === 'invalid_request') throw new Error(`${method} ${path} ${JSON.stringify(body)}: ${text}`);
    return code ? `${status} ${code}` : String(status);
  }

  async function control(path: string, body?: unknown): Promise<string> {
    const response = await fetch(`${system.sandboxUrl}/_sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.body?.cancel();
    return String(response.status);
  }

  async function wait(workflowId: string, seconds: number): Promise<string> {
    try {
      await travel(client, asId(workflowId), seconds, 10_000);
      return 'arrived';
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // It has ended, or something is under way: what it waits for comes by itself in a moment.
      await pause(200);
      return error.cause instanceof WorkflowNotFoundError ? 'it has ended' : error.message;
    }
  }

  return { play, settle, mustBeAwake };
}

/** What was told is known a moment later, if it was told at all: whoever acts next mostly acts upon it. */
async function inAMoment(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let ms = 25; ms < 2_000; ms *= 1.5) {
    if (await isSo()) return true;
    await pause(ms);
  }
  return isSo();
}

interface UnitName {
  readonly orderItemId: OrderItemId;
  readonly number: number;
}

interface RefundOfGame {
  readonly id: RefundId;
  readonly state: string;
  readonly reference: string | null;
  readonly paymentId: PaymentId;
  readonly of: OrderId;
}

interface OpenCase {
  readonly id: string;
  readonly kind: string;
  readonly returnId: ReturnId | null;
}

type AtGateway = Extract<Command, { do: 'refund-fail' | 'charge-back' }>;

const isTold = (webhook: WebhookMode): boolean => webhook !== 'none' && webhook !== 'forged';
/** How the sandbox tells of what it does. */
const saying = (webhook: WebhookMode): string => `webhook=${webhook}${webhook === 'late' ? '&delayMs=50' : ''}`;

const TO_RETURN = [
  'approve',
  'reject',
  'request-info',
  'provide-info',
  'cancel-return',
  'receive',
  'inspect',
  'resolve',
  'accept-deduction',
  'dispute',
  'decide-dispute',
  'continue',
] as const;
type ToReturn = Extract<Command, { do: (typeof TO_RETURN)[number] }>;
type Word = ToReturn extends infer One ? (One extends ToReturn ? Omit<One, 'order' | 'nth'> : never) : never;

const KIND_OF: Readonly<Record<ToReturn['do'], ReturnMessageKind>> = {
  approve: 'approve',
  reject: 'reject',
  'request-info': 'request_info',
  'provide-info': 'provide_info',
  'cancel-return': 'cancel',
  receive: 'receive',
  inspect: 'inspect',
  resolve: 'resolve',
  'accept-deduction': 'accept_deduction',
  dispute: 'dispute',
  'decide-dispute': 'decide_dispute',
  continue: 'continue',
};

interface Order {
  readonly id: OrderId;
  readonly state: string;
  readonly kind: string;
}

const ACCOUNT = {
  channel: 'bank_transfer',
  bankCode: '014',
  accountNumber: '1234567890',
  accountHolder: 'Sari Wulandari',
} as const;

/** Half of them, and always the same. */
const isOdd = (id: string): boolean => Number.parseInt(id[0] ?? '0', 16) % 2 === 1;

const STAFF = ['seller', 'warehouse', 'supervisor'] as const satisfies readonly DemoAccount[];

/** What somebody does about a return that waits for people; the others wait for time, parcels or money. */
const WORK: Readonly<Partial<Record<ReturnState, Word>>> = {
  requested: { do: 'approve', part: 'all' },
  under_review: { do: 'approve', part: 'all' },
  received: { do: 'inspect', part: 'all', condition: 'as_new', disposition: 'restock', by: 'warehouse' },
  inspecting: { do: 'inspect', part: 'all', condition: 'used', disposition: 'scrap', by: 'warehouse' },
  resolution_pending: { do: 'decide-dispute', decision: 'waive' },
  manual_review: { do: 'continue', to: 'refunding' },
};
/** Of one that still waits after a long time. */
const LAST_WORK: Readonly<Partial<Record<ReturnState, Word>>> = {
  inspecting: { do: 'receive', part: 'complete' },
  resolution_pending: { do: 'accept-deduction' },
  manual_review: { do: 'continue', to: 'rejected' },
};

const RECEIVE = { do: 'receive', part: 'all' } as const;
const CLOSED = { do: 'continue', to: 'closed_refunded' } as const;

const nthOf = <T>(items: readonly T[], nth: number): T | undefined =>
  items[items.length - 1 - (nth % (items.length || 1))];
