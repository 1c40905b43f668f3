// As test_shop.py, for node's own test runner: a client that reads again before it writes again.

import assert from 'node:assert';
import { test } from 'node:test';

const url = `${process.env.SHOP_URL}/items/1`;

test('renames an item', async () => {
  for (let tries = 1; ; tries++) {
    const read = await fetch(url);
    const item = { ...(await read.json()), name: 'lamp' };
    const headers = { 'If-Match': read.headers.get('ETag'), 'Content-Type': 'application/json' };
    const response = await fetch(url, { method: 'PUT', body: JSON.stringify(item), headers });
    await response.text();
    if (response.ok || tries === 4) return assert.ok(response.ok);
    const asked = 1000 * Number(response.headers.get('Retry-After') ?? 0);
    await new Promise((resolve) => setTimeout(resolve, asked + 50 + 50 * Math.random()));
  }
});
