import { dyingFromPaidToMailed } from '../support/deaths.ts';

describe('one worker after the other that dies on the way from paid to mailed', () => {
  dyingFromPaidToMailed([
    { name: 'between paid and licence issued', activity: 'issueLicense', when: 'before', at: (id) => id },
    {
      name: 'after the licence was issued, before the answer left',
      activity: 'issueLicense',
      when: 'after',
      at: (id) => id,
    },
    {
      name: 'between issued and mailed',
      activity: 'sendMail',
      when: 'before',
      at: (id) => `activation/${id}/mail/2/license_issued`,
    },
  ]);
});
