import assert from 'node:assert/strict';
import { z } from 'zod';
import { createLogger, logTo } from '../../worker/telemetry.ts';

const line = z.looseObject({ level: z.number(), msg: z.string() });

describe('a log line of the worker', () => {
  const write = (log: (logger: ReturnType<typeof logTo>) => void) => {
    const lines: string[] = [];
    log(logTo(createLogger('trace', { write: (text) => void lines.push(text) })));
    assert.equal(lines.length, 1);
    return { text: lines.join(), fields: line.parse(JSON.parse(lines.join())) };
  };

  it('tells which case and which activity, and nothing of what was handed over', () => {
    const { text, fields } = write((logger) =>
      logger.warn('Activity failed', {
        workflowId: 'license-review/1',
        activityType: 'sendMail',
        attempt: 3,
        error: new Error('550 <sari@warung-sari.id> unknown'),
        activation: { input: [{ email: 'sari@warung-sari.id' }] },
      }),
    );
    assert.ok(!text.includes('sari@'), text);
    assert.deepEqual(
      [fields.level, fields.msg, fields['service'], fields['workflowId'], fields['activityType'], fields['attempt']],
      [40, 'Activity failed', 'worker', 'license-review/1', 'sendMail', 3],
    );
    assert.equal(fields['activation'], '[redacted]');
  });

  it('does not repeat the error that the SDK writes into its sentence', () => {
    const { fields } = write((logger) =>
      logger.error('Error while processing ActivityTask.start: no sari@warung-sari.id'),
    );
    assert.equal(fields.msg, 'Error while processing ActivityTask.start');
  });

  it('keeps other sentences whole', () => {
    const { fields } = write((logger) => logger.info('Worker state changed: RUNNING'));
    assert.equal(fields.msg, 'Worker state changed: RUNNING');
  });
});
