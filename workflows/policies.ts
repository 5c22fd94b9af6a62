/** Time-outs and retries, by the kind of thing that is waited for. One place; an activity names its kind. */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/common';

/** A transaction in PostgreSQL. Repeated for ever: the database comes back, and a record must not be given up. */
export const records = {
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** The same beside the workflow task: one event of history. Given up soon, and then done as `records`, which the server repeats. */
export const localRecords = {
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '8s',
  retry: { initialInterval: '200ms', maximumAttempts: 2 },
} as const satisfies LocalActivityOptions;

/** The same for a PDF that takes no time worth speaking of. */
export const localDocuments = {
  startToCloseTimeout: '8s',
  scheduleToCloseTimeout: '8s',
  retry: { maximumAttempts: 1 },
} as const satisfies LocalActivityOptions;

/** Rendering and signing a PDF, storing it. */
export const documents = {
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
} as const satisfies ActivityOptions;

/** The virus scanner. For ever: a document that nobody has looked at is never taken for a clean one. */
export const scanning = {
  startToCloseTimeout: '2m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
} as const satisfies ActivityOptions;

/** A page of files to delete. The schedule comes again the next night. */
export const purging = {
  startToCloseTimeout: '15m',
  heartbeatTimeout: '1m',
  scheduleToCloseTimeout: '6h',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '10m' },
} as const satisfies ActivityOptions;

/** Having a carrier make a label. Given up soon, so that whoever speaks meanwhile is heard; the process comes again. */
export const labels = {
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '25s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
} as const satisfies ActivityOptions;

/** How long after a label that could not be had its carrier is asked again. */
export const LABEL_AGAIN_MS = 300_000;

/** Undoing what a return has done, first while somebody waits for the answer, then for as long as makes sense. */
export const undoingSoon = {
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '8s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '2s' },
} as const satisfies ActivityOptions;
export const undoing = {
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
} as const satisfies ActivityOptions;

/** A return that has ended and is started once more hears at least this long what it was started for. */
export const HEARS_AGAIN_MS = 900_000;

/** The mail server: away for an hour delays mail by an hour and loses none. */
export const mail = {
  startToCloseTimeout: '25s',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '10m' },
} as const satisfies ActivityOptions;

/** A code that is good for ten minutes: after that there is nothing left to send. */
export const textMessages = {
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Sealing the events: one activity for however many there are. It heartbeats after each batch, which takes about a second. */
export const sealing = {
  startToCloseTimeout: '30m',
  heartbeatTimeout: '1m',
  // The schedule comes again in a minute; trying longer than that would only be a second way to do the same.
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** A page of values sealed anew; it heartbeats after each. For ever: half a change of keys is worse than a slow one. */
export const resealing = {
  startToCloseTimeout: '1m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Counting every row of some tables. */
export const counting = {
  startToCloseTimeout: '2m',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Telling a page of processes that they were planned anew; it heartbeats with each. For ever: half of them is worse than late. */
export const replanTellings = {
  startToCloseTimeout: '2m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** How many values are sealed anew in one transaction: about a fifth of a second, so that no writer waits for long. */
export const RESEAL_PAGE = 200;
/** Six events of history a page: well below the size at which continuing as new is suggested. */
export const RESEAL_PAGES_A_RUN = 400;
/** When values keep being sealed with an earlier key, until the process that does so is restarted. */
export const RESEAL_AGAIN_MS = 300_000;

/** Speaking to a page of processes, one after the other; the schedule comes again in a minute. */
export const sweeps = {
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Telling the few processes of one order, which somebody pays or waits for. The process comes again. */
export const handingOver = {
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Starting a page of processes that should be there; it heartbeats with each. The schedule comes again in an hour. */
export const watches = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '15s',
  scheduleToCloseTimeout: '30m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
} as const satisfies ActivityOptions;

/**
 * Asking a page of cases to hand their tasks over, while each may take seconds. It heartbeats with each case. For ever: a
 * move that is half done would leave cases with somebody who is not there.
 */
export const moving = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '8s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** Starting the processes of a page of licences; it heartbeats with each. The schedule comes again the next day. */
export const adopting = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  scheduleToCloseTimeout: '6h',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
} as const satisfies ActivityOptions;

/** Nobody who follows a licence sleeps longer than this: the rules of its renewal may change. */
export const LOOK_AT_LICENSE_AGAIN_MS = 400 * 86_400_000;

/** Asking a gateway what is so. Given up after a minute, so that a payer is not kept waiting; asked again later. */
export const lookUps = {
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
} as const satisfies ActivityOptions;

/** Having a gateway forget a card that was taken off. For ever: it must not stay chargeable because the gateway was away. */
export const forgetting = {
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10m' },
} as const satisfies ActivityOptions;

/** When the gateway is asked whether a card was given, though nobody has said so: counted from the opening of its page, and from its end. */
export const CARD_LOOKS_AFTER_MS = [30_000, 120_000, 600_000, 1_800_000] as const;
export const CARD_LOOKS_AFTER_EXPIRY_MS = [0, 3_600_000] as const;
/** How long a removal may take to be on record after the process was told of it. */
export const REMOVAL_COMMITTED_WITHIN_MS = [1_000, 10_000, 60_000] as const;

/**
 * Opening an attempt while a person waits for the pay page: a few tries, then an answer, whatever it is. When many wait for the
 * gateways' queue, it goes before what is asked because time has passed.
 */
export const openings = {
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '25s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
  priority: { priorityKey: 1 },
} as const satisfies ActivityOptions;

/**
 * Charging a card while nobody waits: it may stand in the gateways' queue for long when many renew at once, and a gateway that is
 * away is still given up soon, so that a payer who comes meanwhile is served.
 */
export const chargings = {
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '30m',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 4 },
} as const satisfies ActivityOptions;

/**
 * Walking a gateway's money. It heartbeats with each page and each question, and goes on where it was after any break. What is
 * not through after two hours is given up for that night, so that the report goes out before the office opens.
 */
export const reconciling = {
  startToCloseTimeout: '2h',
  scheduleToCloseTimeout: '2h',
  heartbeatTimeout: '2m',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
} as const satisfies ActivityOptions;

/** A question to each registry that is silent: seconds each. The process itself comes again later. */
export const registryQuestions = {
  startToCloseTimeout: '1m',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** A label, and papers of a parcel: somebody waits for them. The watch tries again. */
export const parcelPapers = {
  startToCloseTimeout: '25s',
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
} as const satisfies ActivityOptions;

/** A question to the carrier about one parcel. Given up soon, so that whoever speaks meanwhile is heard; the watch asks again. */
export const carrierQuestions = {
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
} as const satisfies ActivityOptions;

/** The same for each of a page of parcels; it heartbeats with each. The watch comes again in a minute. */
export const parcelSweeps = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '30s',
  scheduleToCloseTimeout: '15m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
} as const satisfies ActivityOptions;

/** When an attempt is asked about though no notification came, counted from its creation and from its expiry. */
export const POLL_AFTER_MS = [30_000, 120_000, 600_000, 3_600_000, 21_600_000] as const;
export const POLL_AFTER_EXPIRY_MS = [0, 86_400_000, 259_200_000] as const;

/** After a look-up that the gateway did not answer. */
export const LOOK_AGAIN_MS = 300_000;

/** An attempt's pay page stays open this long, or until the invoice lapses. */
export const ATTEMPT_OPEN_MS = 86_400_000;
/** Gateways take no shorter expiry. */
export const ATTEMPT_AT_LEAST_MS = 900_000;

/** When a refund is asked about though no notice came, counted from the moment it was sent; after that daily. */
export const REFUND_POLL_AFTER_MS = [30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000] as const;
export const REFUND_POLL_DAILY_MS = 86_400_000;
/** When one that has arrived is asked about: banks send money back days later. After the last nobody asks any more. */
export const REFUND_WATCH_AFTER_MS = [259_200_000, 864_000_000] as const;
/** When finance is told again of what waits for them; then weekly. */
export const REFUND_REMIND_FINANCE_MS = 172_800_000;
export const REFUND_REMIND_WEEKLY_MS = 604_800_000;
/** When the payer is asked again where the money shall go; the last time finance is told instead. */
export const REFUND_REMIND_PAYER_MS = [259_200_000, 604_800_000, 2_592_000_000] as const;
