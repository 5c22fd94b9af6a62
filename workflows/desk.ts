/** Where people's messages to a process wait: refused or taken at once, done by its main line one after the other. */

import type { UpdateDefinition } from '@temporalio/common';
import { condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type { Refusal } from '../domain/licensing.ts';
import { clock, refused, refuseIf } from './answers.ts';

export interface Request<Asked, Answer extends object> {
  /** Of the update: the record takes it once. */
  readonly id: string;
  readonly asked: Asked;
  answer: Answer | Refusal | null;
}

export interface Answered<Answer extends object> {
  readonly id: string;
  readonly answer: Answer;
}

/** Temporal forgets with each run which updates it has seen; a client that asks again does so within minutes. */
const REMEMBERED = 30;

interface DeskOptions<Asked, Answer extends object> {
  /** Why it cannot be done, as far as is known; null = the main line looks. Asked of what arrives while nothing is under way. */
  readonly refuse: (asked: Asked) => Refusal | null;
  /** What they are told who spoke to a process that never got to them. */
  readonly ended: Refusal;
  /** From the run before. */
  readonly answered?: readonly Answered<Answer>[];
}

/** @throws `refused` to the asker, for a refusal of the validator or of the main line */
export function openDesk<Asked, Answer extends object>({
  refuse,
  ended,
  answered: before = [],
}: DeskOptions<Asked, Answer>) {
  const waiting: Request<Asked, Answer>[] = [];
  let answered = [...before];
  let isBusy = true;
  const known = (id: string | undefined) => answered.find((one) => one.id === id);

  async function ask(asked: Asked): Promise<Answer> {
    const id = currentUpdateInfo()?.id ?? clock();
    const done = known(id);
    if (done) return done.answer;
    const request: Request<Asked, Answer> = { id, asked, answer: null };
    waiting.push(request);
    await condition(() => request.answer !== null);
    if (request.answer === null || 'code' in request.answer) throw refused(request.answer ?? ended);
    return request.answer;
  }

  return {
    /** Takes the messages of one update. */
    takes<Message>(update: UpdateDefinition<Answer, [Message]>, toAsked: (message: Message) => Asked): void {
      setHandler(update, (message) => ask(toAsked(message)), {
        validator(message) {
          // While a step is under way nobody is refused by what was: the main line asks again.
          if (!isBusy && !known(currentUpdateInfo()?.id)) refuseIf(refuse(toAsked(message)));
        },
      });
    },
    next: (): Request<Asked, Answer> | undefined => waiting.shift(),
    areWaiting: (): boolean => waiting.length > 0,
    howMany: (): number => waiting.length,
    answer(request: Request<Asked, Answer>, answer: Answer | Refusal): void {
      request.answer = answer;
      if (!('code' in answer)) answered = [...answered, { id: request.id, answer }].slice(-REMEMBERED);
    },
    /** Says no to everybody who waits. */
    close(): void {
      for (const request of waiting.splice(0)) request.answer = ended;
    },
    /** For the next run. */
    carried: (): readonly Answered<Answer>[] => answered,
    /** Waits with no step under way. @returns false when the time was over first */
    async idle(until: () => boolean, wait?: { readonly ms: number; readonly summary: string }): Promise<boolean> {
      isBusy = false;
      if (!wait) await condition(until);
      const isSo = wait ? await condition(until, Math.max(1, wait.ms), { summary: wait.summary }) : true;
      isBusy = true;
      return isSo;
    },
  };
}
