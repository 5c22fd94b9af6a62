/** What people say to a return: what they said is on record, the process hears of which message and what kind it is. */
import { type ReturnMessageKind, type ReturnState, refuseReturnMessage } from '../domain/returns.ts';
import { refusal } from './answers.ts';
import { type Answered, openDesk } from './desk.ts';
import { RETURN_UPDATES, type RmaAnswer, type ShopMessage } from './messages.ts';

export interface ReturnAsked {
  readonly kind: ReturnMessageKind;
  readonly message: ShopMessage;
}

const isKind = (text: string): text is ReturnMessageKind => Object.hasOwn(RETURN_UPDATES, text);

/** @param state what it is as far as is known; null = the record has to be asked */
export function openReturnDesk(state: () => ReturnState | null, answered: readonly Answered<RmaAnswer>[] = []) {
  const desk = openDesk<ReturnAsked, RmaAnswer>({
    refuse: ({ kind }) => {
      const known = state();
      return known && refuseReturnMessage(kind, known);
    },
    ended: refusal('return_not_open', 'The return has come to its end. Read it again.'),
    answered,
  });
  for (const kind of Object.keys(RETURN_UPDATES).filter(isKind))
    desk.takes(RETURN_UPDATES[kind], (message) => ({ kind, message }));
  return desk;
}
