import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { type InvoiceData, renderInvoice } from '../../../activities/documents/invoice.ts';
import { PPN_2025 } from '../../../domain/invoicing.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { linesOf, textRunsOf } from './pdf-text.ts';

const service = {
  description: { id: 'Jasa layanan elektronik', en: 'Electronic service' },
  net: rupiah(50_000_000),
  tax: { rule: PPN_2025, amount: rupiah(5_500_000) },
};
const data: InvoiceData = {
  number: 'INV/2026/000042',
  status: 'open',
  locale: 'id',
  issuedAt: '2026-11-21T10:14:00+07:00',
  dueAt: '2026-11-28T10:14:00+07:00',
  paidAt: null,
  timeZone: 'Asia/Makassar',
  seller: { name: 'DPMPTSP Kota Contoh', address: 'Jalan Merdeka No. 1' },
  buyer: { name: 'Warung Sejahtera', address: 'Jalan Melati No. 7' },
  lines: [{ description: { id: 'Retribusi izin', en: 'Statutory fee' }, net: rupiah(250_000), tax: null }, service],
};

const invoice = async (changes: Partial<InvoiceData> = {}) => linesOf(await renderInvoice({ ...data, ...changes }));

function assertHas(lines: string[], ...expected: string[]) {
  for (const line of expected) assert.ok(lines.includes(line), `"${line}" among\n${lines.join('\n')}`);
}

describe('the invoice', () => {
  it('tells only the amount of a tax whose rule nobody recorded', async () => {
    const lines = await invoice({ lines: [{ ...service, tax: { rule: null, amount: rupiah(5_500_000) } }] });
    assertHas(lines, 'Rp5.500.000', 'Rp55.500.000');
    assert.doesNotMatch(lines.join('\n'), /%|DPP/);
  });

  it('is the same bytes for the same data, whatever the time', async () => {
    const first = await renderInvoice(data);
    mock.timers.enable({ apis: ['Date'], now: Date.parse('2031-05-06T07:08:09Z') });
    const later = await renderInvoice(data);
    mock.timers.reset();
    assert.ok(first.equals(later));
  });

  it('states who owes whom what and by when, in Indonesian', async () => {
    assertHas(
      await invoice(),
      'TAGIHAN',
      'INV/2026/000042',
      'BELUM DIBAYAR',
      'Diterbitkan: 21 November 2026',
      'Jatuh tempo: 28 November 2026 pukul 11.14 WITA',
      'DPMPTSP Kota Contoh',
      'Warung Sejahtera',
      'Retribusi izin',
      'Jasa layanan elektronik',
    );
  });

  it('speaks English to those who chose it', async () => {
    const lines = await invoice({ locale: 'en', status: 'paid', paidAt: '2026-11-22T09:00:00+08:00' });
    assertHas(lines, 'INVOICE', 'PAID', 'Paid: 22 November 2026, 09:00 WITA', 'Statutory fee', 'Total due');
    assert.doesNotMatch(lines.join(' '), /Please pay/);
  });

  it('taxes service lines only, on 11/12 of the price, and adds up', async () => {
    const lines = await invoice();
    assertHas(lines, 'Rp250.000', 'tidak dikenai', 'Rp50.000.000', 'Rp5.500.000', '12 %', 'Rp55.500.000');
    assertHas(lines, 'Rp50.250.000', 'DPP Nilai Lain', 'Rp45.833.333', 'Total tagihan', 'Rp55.750.000');
    assert.match(lines.join(' '), /PPN 12 % .*11\/12 dari harga.*11 % dari\s+harga \(PMK 131\/2024\)/);
  });

  it('names the regulation that it was taxed by', async () => {
    const lines = await invoice({
      lines: [{ ...service, tax: { ...service.tax, rule: { ...PPN_2025, source: 'PMK 7/2027' } } }],
    });
    assert.match(lines.join(' '), /\(PMK 7\/2027\)/);
    assert.doesNotMatch(lines.join(' '), /PMK 131/);
  });

  it('says what a price was before its discount', async () => {
    const cheaper = { ...service, discount: rupiah(2_000_000) };
    assertHas(await invoice({ lines: [cheaper] }), 'Harga Rp52.000.000, potongan Rp2.000.000', 'Rp50.000.000');
    assert.match((await invoice({ lines: [cheaper], locale: 'en' })).join('\n'), /Price Rp52.000.000, discount/);
    assert.doesNotMatch((await invoice()).join(' '), /potongan/);
  });

  it('rounds the tax base once, not once a line', async () => {
    assertHas(await invoice({ lines: Array.from({ length: 30 }, () => service) }), 'Rp1.375.000.000');
  });

  it('says nothing of a reduced base where there is none', async () => {
    const full = {
      ...service,
      tax: { rule: { ...PPN_2025, baseNumerator: 1, baseDenominator: 1 }, amount: rupiah(6_000_000) },
    };
    assert.doesNotMatch((await invoice({ lines: [full] })).join(' '), /DPP|PMK/);
    assert.doesNotMatch((await invoice({ lines: data.lines.slice(0, 1) })).join(' '), /DPP|PMK/);
  });

  it('goes on with the table on the next page, heading included', async () => {
    const pdf = await renderInvoice({ ...data, lines: Array.from({ length: 30 }, () => service) });
    const runs = textRunsOf(pdf);
    const headings = runs.filter(({ text }) => text.trim() === 'Uraian').map(({ page }) => page);
    assert.deepEqual(headings, [0, 1]);
    assert.equal(runs.filter(({ text }) => text.trim() === 'Jasa layanan elektronik').length, 30);
    for (const { text, x, right, y } of runs) {
      assert.ok(x >= 49 && right <= 595.28 - 49 && y >= 36 && y <= 842 - 36, `"${text}" at ${x}–${right}, ${y}`);
    }
  });

  it('refuses an invoice without lines or of two currencies', async () => {
    await assert.rejects(invoice({ lines: [] }), /INV\/2026\/000042 has no line/);
    const ringgit = { ...service, net: money(100n, 'MYR'), tax: null };
    await assert.rejects(invoice({ lines: [service, ringgit] }), /cannot add MYR to IDR/);
  });
});
