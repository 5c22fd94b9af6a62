import { dyingFromPaidToMailed } from '../support/deaths.ts';

// The other points of the same way: test/slow/crash.test.ts.
describe('a worker that dies on the way from paid to mailed', () => {
  dyingFromPaidToMailed([
    {
      name: 'after the licence was issued, before the answer left',
      activity: 'issueLicense',
      when: 'after',
      at: (id) => id,
    },
  ]);
});
