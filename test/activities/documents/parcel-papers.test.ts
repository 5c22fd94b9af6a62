import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { inflateSync } from 'node:zlib';
import { create } from 'qrcode';
import { type PackingSlipData, renderPackingSlip } from '../../../activities/documents/packing-slip.ts';
import { type ParcelLabelData, renderParcelLabel } from '../../../activities/documents/parcel-label.ts';
import { linesOf, textRunsOf } from './pdf-text.ts';

const shop = { name: 'DPMPTSP Kota Contoh', address: 'Jalan Merdeka No. 1, Kota Contoh', phone: null };
const customer = { name: 'Ibu Ratna Dewi', address: 'Jalan Kenanga 12\nBandung, 40115', phone: '+62 812 3456 7890' };
const slip: PackingSlipData = {
  orderNumber: 'ORD/2026/000042',
  locale: 'id',
  packedAt: '2026-11-21T18:14:00Z',
  timeZone: 'Asia/Jakarta',
  carrier: 'kurir',
  trackingNumber: 'KR12345678901',
  from: shop,
  to: customer,
  lines: [
    { sku: 'KOPI-250', name: { id: 'Kopi Gayo', en: 'Gayo coffee' }, quantity: 2, serials: [], batches: ['B-07'] },
    { sku: 'GILING-1', name: { id: 'Penggiling', en: 'Grinder' }, quantity: 1, serials: ['SN-1'], batches: [] },
  ],
};
const label: ParcelLabelData = {
  direction: 'back',
  number: 'RMA/2026/000007',
  locale: 'id',
  printedAt: '2026-11-21T18:14:00Z',
  timeZone: 'Asia/Jakarta',
  carrier: 'kurir',
  trackingNumber: 'KR12345678901',
  weightGrams: 1_250,
  from: customer,
  to: shop,
};

function assertHas(lines: string[], ...expected: string[]) {
  for (const line of expected) assert.ok(lines.includes(line), `"${line}" among\n${lines.join('\n')}`);
}

/** How many dark modules the page draws: each is one rectangle. */
function rectanglesOf(pdf: Buffer): number {
  const source = pdf.toString('latin1');
  return [...source.matchAll(/\/Filter \/FlateDecode\n>>\nstream\n/g)].reduce((count, match) => {
    const start = match.index + match[0].length;
    const content = inflateSync(Buffer.from(source.slice(start, source.indexOf('\nendstream', start)), 'latin1'));
    return count + [...content.toString('latin1').matchAll(/ re$/gm)].length;
  }, 0);
}
const darkModules = (text: string): number =>
  create(text, { errorCorrectionLevel: 'M' }).modules.data.reduce((sum: number, dark) => sum + (dark ? 1 : 0), 0);

describe('the packing slip', () => {
  it('says what lies in the parcel, whose it is and how it travels, without a price', async () => {
    const lines = linesOf(await renderPackingSlip(slip));
    assertHas(lines, 'DAFTAR ISI PAKET', 'ORD/2026/000042', 'Kopi Gayo', 'KOPI-250', '2', 'Batch: B-07', 'Penggiling');
    assertHas(lines, 'Nomor seri: SN-1', '3 barang dalam paket ini', 'Ibu Ratna Dewi', 'Jalan Kenanga 12');
    // 18:14 in Greenwich is the next day in Jakarta.
    assertHas(lines, 'Dikemas: 22 November 2026', 'Nomor resi: KR12345678901', 'Telepon: +62 812 3456 7890');
    assert.doesNotMatch(lines.join('\n'), /Rp/);
    assertHas(
      linesOf(await renderPackingSlip({ ...slip, locale: 'en', trackingNumber: null })),
      'PACKING SLIP',
      'Grinder',
    );
  });

  it('goes on over as many pages as it takes, and loses no line', async () => {
    const [line] = slip.lines;
    assert.ok(line);
    const many = Array.from({ length: 200 }, (_, index) => ({ ...line, sku: `SKU-${index}` }));
    const runs = textRunsOf(await renderPackingSlip({ ...slip, lines: many }));
    for (const { sku } of many)
      assert.ok(
        runs.some(({ text }) => text.trim() === sku),
        sku,
      );
    assert.ok(Math.max(...runs.map(({ page }) => page)) >= 9);
    for (const { y, text } of runs) assert.ok(y > 20, `${text} at ${y}`);
  });

  it('is the same bytes for the same data, whatever the time', async () => {
    const first = await renderPackingSlip(slip);
    mock.timers.enable({ apis: ['Date'], now: Date.parse('2031-05-06T07:08:09Z') });
    const later = await renderPackingSlip(slip);
    mock.timers.reset();
    assert.ok(first.equals(later));
  });
});

describe('the label of a parcel', () => {
  it('says where it goes and where it comes from, with the number to read and to scan', async () => {
    const pdf = await renderParcelLabel(label);
    const lines = linesOf(pdf);
    assertHas(lines, 'LABEL PENGEMBALIAN', 'KR12345678901', 'Ibu Ratna Dewi', 'DPMPTSP Kota Contoh', 'Berat: 1,25 kg');
    assert.ok(lines.some((line) => line.includes('RMA/2026/000007')));
    assert.equal(rectanglesOf(pdf), darkModules('KR12345678901'));
    assert.notEqual(darkModules('KR12345678901'), darkModules('KR12345678902'));
  });

  it('puts the recipient above the sender, larger', async () => {
    const runs = textRunsOf(await renderParcelLabel(label));
    const at = (text: string) => runs.find((run) => run.text.trim() === text) ?? assert.fail(text);
    assert.ok(at('DPMPTSP Kota Contoh').y > at('Ibu Ratna Dewi').y);
    const out = textRunsOf(
      await renderParcelLabel({ ...label, direction: 'out', from: shop, to: customer, locale: 'en' }),
    );
    assert.ok(out.some(({ text }) => text.trim() === 'SHIPPING LABEL'));
  });
});
