import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type CheckLimits, createDocumentChecks, type DocumentChecks } from '../../api/document-checks.ts';
import { aBomb, aPdf, aPng, aWrittenPdf } from '../builders/papers.ts';

const MEGABYTE = 1024 * 1024;
const GENEROUS: CheckLimits = { withinMs: 10_000, growsBytes: 1024 * MEGABYTE, heapMegabytes: 192, atOnce: 2 };

describe('looking into a file before it is stored', () => {
  let checks: DocumentChecks;
  const opened: DocumentChecks[] = [];
  const withLimits = (limits: Partial<CheckLimits>): DocumentChecks => {
    const made = createDocumentChecks({ ...GENEROUS, ...limits });
    opened.push(made);
    return made;
  };
  before(() => {
    checks = withLimits({});
  });
  after(() => Promise.all(opened.map((one) => one.close())));

  const pdf = (content: Buffer) => checks.check(content, 'application/pdf');
  const found = async (content: Buffer) => (await pdf(content)).flags;

  it('counts the pages and finds nothing odd about a plain PDF', async () => {
    assert.deepEqual(await pdf(aPdf()), { pages: 1, flags: [] });
    const written = await aWrittenPdf({}, (paper) => paper.text('Rekomendasi').addPage().text('Lampiran'));
    assert.deepEqual(await pdf(written), { pages: 2, flags: [] });
  });

  it('warns of scripts, wherever they are', async () => {
    const script = '<</S/JavaScript/JS(app.alert\\(1\\))>>';
    assert.deepEqual(await found(aPdf({ catalog: `/OpenAction ${script}` })), ['scripts']);
    assert.deepEqual(await found(aPdf({ catalog: '/OpenAction<</S/Launch/F(calc.exe)>>' })), ['scripts']);
    // As a PDF may write any name.
    const hidden = script.replace('/JavaScript', '/Java#53cript');
    assert.deepEqual(await found(aPdf({ catalog: `/OpenAction ${hidden}` })), ['scripts']);
  });

  it('warns of files inside the file, also where they hang on a page', async () => {
    const file = Buffer.from('MZ');
    const inside = await aWrittenPdf({}, (paper) => paper.file(file, { name: 'faktur.exe' }));
    assert.deepEqual(await found(inside), ['attachments']);
    const pin = '<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</Type/Filespec/F(faktur.exe)>>>>';
    const pinned = aPdf({ page: '/Annots[4 0 R]', objects: [pin] });
    assert.deepEqual(await found(pinned), ['attachments']);
  });

  it('tells restrictions from a lock', async () => {
    assert.deepEqual(await found(await aWrittenPdf({ ownerPassword: 'kantor', permissions: {} })), ['encrypted']);
    assert.deepEqual(await found(await aWrittenPdf({ userPassword: 'rahasia' })), ['locked']);
  });

  it('warns of very many pages', async () => {
    const long = await aWrittenPdf({ autoFirstPage: false }, (paper) => {
      for (let page = 0; page <= 200; page += 1) paper.addPage();
    });
    assert.deepEqual(await pdf(long), { pages: 201, flags: ['too_many_pages'] });
  });

  it('warns of what only begins like a PDF or a picture', async () => {
    assert.deepEqual(await found(Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n')), ['damaged']);
    assert.deepEqual(await found(Buffer.concat([aPdf().subarray(0, 60), Buffer.alloc(2000, 7)])), ['damaged']);
    assert.deepEqual(await checks.check(aPng(900, 600).subarray(0, 18), 'image/png'), { flags: ['damaged'] });
    assert.deepEqual(await checks.check(Buffer.from('ffd8ffe000104a464946', 'hex'), 'image/jpeg'), {
      flags: ['damaged'],
    });
  });

  it('tells the size of a picture, and warns of one that is tiny or enormous', async () => {
    const look = (width: number, height: number) => checks.check(aPng(width, height), 'image/png');
    assert.deepEqual(await look(1200, 800), { width: 1200, height: 800, flags: [] });
    assert.deepEqual(await look(299, 10), { width: 299, height: 10, flags: ['too_small'] });
    assert.deepEqual(await look(20_000, 20_000), { width: 20_000, height: 20_000, flags: ['too_large'] });
  });

  describe('that is made to harm', function () {
    this.timeout(60_000);
    let bomb: Buffer;
    before(() => {
      bomb = aBomb(400);
      assert.ok(bomb.length < MEGABYTE);
    });

    it('gives up on one that takes too long, while this process goes on as if nothing were', async () => {
      const impatient = withLimits({ withinMs: 300 });
      await impatient.check(aPdf(), 'application/pdf');
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      assert.deepEqual(await impatient.check(bomb, 'application/pdf'), { flags: ['too_complex'] });
      delay.disable();
      assert.ok(delay.max / 1e6 < 200, `the process stood still for ${delay.max / 1e6} ms`);
      assert.deepEqual(await impatient.check(aPdf(), 'application/pdf'), { pages: 1, flags: [] });
    });

    it('gives up on one that takes too much memory, and gives the memory back', async () => {
      const frugal = withLimits({ growsBytes: 100 * MEGABYTE });
      await frugal.check(aPdf(), 'application/pdf');
      const before = process.memoryUsage.rss();
      assert.deepEqual(await frugal.check(bomb, 'application/pdf'), { flags: ['too_complex'] });
      const grown = (process.memoryUsage.rss() - before) / MEGABYTE;
      assert.ok(grown < 400, `${grown} MB more than before`);
    });

    it('lets others in meanwhile, and those that wait behind it', async () => {
      const two = withLimits({ withinMs: 1_000, atOnce: 2 });
      const order: string[] = [];
      const look = async (name: string, content: Buffer) => {
        await two.check(content, 'application/pdf');
        order.push(name);
      };
      await Promise.all([look('bomb', bomb), look('first', aPdf()), look('second', aPdf()), look('third', aPdf())]);
      assert.deepEqual(order, ['first', 'second', 'third', 'bomb']);
    });
  });
});
