/**
 * The year itself: one thing after the other, in the order of the office's clock. Before somebody acts on a case, its process is
 * brought to that moment, and all that was due before has happened; whatever touches others (a task that moves to the
 * supervisor, a time that runs out) is an entry of its own. So the outcome does not depend on how quick this machine is.
 */
import { nextOpening } from '../../domain/calendar.ts';
import type { Entry } from './agenda.ts';
import { respond, resubmit, submit, takeUp, withdraw } from './applicants.ts';
import { isBusyIn } from './case-now.ts';
import { MINUTE_MS, STAFF } from './people.ts';
import { claim, comeBack, decide, handBack, leave, override, takeUpWork } from './reviewers.ts';
import { createWorld, type Happening, minuteOf, type Play, personNamed, put, ring, type World } from './world.ts';

export async function playYear(play: Play): Promise<Pick<World, 'refused' | 'stuck'>> {
  const world = createWorld(play);
  const { agenda, year, inPlay, leaves, counts } = world;
  for (const theCase of inPlay)
    put(world, year.begins + theCase.minute * MINUTE_MS, theCase.number, { kind: 'submit', theCase });
  for (const each of leaves) {
    const person = personNamed(world, each.who);
    const number = STAFF.indexOf(each.who);
    put(world, each.from, number, { kind: 'leave', person, leave: each });
    put(world, minuteOf(nextOpening(year.calendar, each.to)) + 5 * MINUTE_MS, number, { kind: 'return', person });
  }
  let lastActed = 0;
  for (let entry = agenda.next(); entry; entry = agenda.next()) {
    const acts = isAct(entry.what);
    if (acts && (entry.at <= lastActed || comesBetween(entry))) {
      agenda.add({ ...entry, at: entry.at + MINUTE_MS });
      continue;
    }
    if (acts) lastActed = entry.at;
    await carryOut(world, entry);
    takeUpWork(world, entry.at);
    play.onProgress(entry.at, counts);
  }
  return world;
}

// Two never act in one minute, and nobody in a minute in which the process does: who was first would be chance.
const isAct = ({ kind }: Happening): boolean => kind !== 'leave' && kind !== 'return' && kind !== 'alarm';

const comesBetween = ({ at, what }: Entry<Happening>): boolean =>
  'theCase' in what && what.theCase.now !== null && isBusyIn(what.theCase.now, at);

async function carryOut(world: World, { at, what }: Entry<Happening>): Promise<void> {
  switch (what.kind) {
    case 'submit':
      return submit(world, what.theCase, at);
    case 'withdraw':
      return withdraw(world, what.theCase, at);
    case 'resubmit':
      return resubmit(world, what.theCase, what.round, at);
    case 'respond':
      return respond(world, what.theCase, what.round, at);
    case 'appeal':
      return takeUp(world, what.theCase, 'appeal', at);
    case 'reopen':
      return takeUp(world, what.theCase, 'reopened', at);
    case 'alarm':
      return what.alarm === what.theCase.alarm ? ring(world, what.theCase) : undefined;
    case 'claim':
      return claim(world, what.person, what.job, at);
    case 'decide':
      return decide(world, what.person, what.job, at);
    case 'hand_back':
      return handBack(world, what.theCase, what, at);
    case 'override':
      return override(world, what.theCase, what.seat, at);
    case 'leave':
      return leave(world, what.person, what.leave);
    case 'return':
      return comeBack(world, what.person, at);
  }
}
