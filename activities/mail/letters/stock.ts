/** Letters about the shop's stock, to sellers, and about carts, to customers. */
import type { Letter } from './compose.ts';

type Words = Record<'stock_low' | 'cart_reminder', Letter>;

export const STOCK_LETTERS_ENGLISH: Words = {
  stock_low: {
    subject: '{{#if isRepeat}}Still running out{{else}}Running out{{/if}}: {{productName}}',
    happened: 'Only {{free}} of {{productName}} are free, over all stores; an alert was asked for below {{threshold}}.',
    facts: [
      ['Product', '{{productName}}'],
      ['SKU', '{{sku}}'],
      ['Free', '{{free}}'],
      ['Alert below', '{{threshold}}'],
    ],
    next: [
      'Order more, or acknowledge the alert if it is being seen to; you can also let it sleep for some days. Otherwise we write again in a week.',
      'The alert ends by itself once there is enough again.',
    ],
  },
  cart_reminder: {
    subject: 'Your cart is waiting, {{companyName}}',
    happened: 'There is still something in the cart of {{companyName}} that was not ordered.',
    lists: [{ title: 'In the cart:', of: 'items' }],
    next: [
      'Log in to order it, or to empty the cart: {{shopUrl}}. What is in it is not reserved, and is kept for you. We remind you once.',
      'If you do not want such letters, say so here: {{stopUrl}}',
    ],
  },
};

export const STOCK_LETTERS_INDONESIAN: Words = {
  stock_low: {
    subject: '{{#if isRepeat}}Masih menipis{{else}}Stok menipis{{/if}}: {{productName}}',
    happened: 'Hanya {{free}} {{productName}} yang bebas di semua gudang; peringatan diminta di bawah {{threshold}}.',
    facts: [
      ['Produk', '{{productName}}'],
      ['SKU', '{{sku}}'],
      ['Bebas', '{{free}}'],
      ['Peringatan di bawah', '{{threshold}}'],
    ],
    next: [
      'Pesan lagi, atau tandai peringatan ini bila sudah ditangani; dapat juga ditunda beberapa hari. Bila tidak, kami mengingatkan lagi dalam seminggu.',
      'Peringatan berakhir sendiri begitu stoknya cukup kembali.',
    ],
  },
  cart_reminder: {
    subject: 'Keranjang {{companyName}} masih menunggu',
    happened: 'Masih ada barang di keranjang {{companyName}} yang belum dipesan.',
    lists: [{ title: 'Di keranjang:', of: 'items' }],
    next: [
      'Masuk untuk memesannya, atau untuk mengosongkan keranjang: {{shopUrl}}. Isinya tidak dipesankan lebih dahulu, dan tetap tersimpan. Kami mengingatkan satu kali saja.',
      'Bila tidak menginginkan surat seperti ini, sampaikan di sini: {{stopUrl}}',
    ],
  },
};
