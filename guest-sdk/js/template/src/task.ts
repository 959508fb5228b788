// Prices an order.

import { Problem, task } from 'hotcell';

interface Order {
  id: string;
  coupon?: string;
  lines: { sku: string; quantity: number; cents: number }[];
}

interface Receipt {
  order: string;
  lines: { sku: string; cents: number }[];
  subtotal: number;
  discount: number;
  total: number;
}

export default task((order: Order): Receipt => {
  check(order);
  if (order.lines.length === 0) {
    throw new Problem(`order ${order.id} has no lines`, { status: 422, title: 'Order refused', order: order.id });
  }
  console.info(`${order.id}: ${order.lines.length} lines`);
  const lines = order.lines.map(({ sku, quantity, cents }) => ({ sku, cents: quantity * cents }));
  const subtotal = lines.reduce((sum, line) => sum + line.cents, 0);
  const discount = order.coupon === 'TENTH' ? Math.floor(subtotal / 10) : 0;
  return { order: order.id, lines, subtotal, discount, total: subtotal - discount };
});

// Types are gone when the task runs: what comes from others is looked at.
function check(order: Order) {
  if (typeof order?.id !== 'string') throw Problem.validation('`id`: expected a string');
  if (!Array.isArray(order.lines)) throw Problem.validation('`lines`: expected a list');
  order.lines.forEach((line, place) => {
    for (const member of ['quantity', 'cents'] as const) {
      if (!Number.isSafeInteger(line?.[member])) {
        throw Problem.validation(`\`lines[${place}].${member}\`: expected an integer`);
      }
    }
  });
}
