// What is on the screen can be read there: nothing cut off that is told nowhere else, no label broken, no empty mark.
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { deliver } from './support/stack';
import { DESKTOP, expectNoSidewaysScroll, PHONE, signIn, useBrowser, visit } from './support/browser';

useBrowser();

const SMALL = { width: 360, height: 640 };
const FEED = { object: 'page', entry: [{ id: '1029384756', time: 1, changes: [{ field: 'picture', value: { verb: 'update' } }] }] };

const cutOff = (what: Locator): Promise<string[]> =>
  what.evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent));
const goTo = async (page: Page, path: string): Promise<void> => {
  await page.goto(new URL(path, page.url()).href);
  await page.getByRole('heading', { level: 1 }).waitFor();
};

it.each(['Português (Brasil)', 'English'])('on a phone the bar shows where one is, each label on one line: %s', async (language) => {
  const page = await visit('/posts', { viewport: SMALL });
  await signIn(page, 'admin');
  await page.getByRole('button', { name: /^Conta de/ }).click();
  await page.getByRole('menuitemradio', { name: language }).click();
  const here = page.locator('.nav__link[aria-current]');
  for (const path of ['/posts', '/entregas', '/eventos', '/contas', '/docs']) {
    await goTo(page, path);
    await expect.poll(async () => {
      const box = await here.boundingBox();
      return box !== null && box.x >= 0 && box.x + box.width <= SMALL.width;
    }).toBe(true);
    const heights = await page.locator('.nav__link').evaluateAll((all) => all.map((one) => one.clientHeight));
    expect(new Set(heights).size).toBe(1);
  }
  await page.locator('.nav__link[href="/eventos"]').click(); // without a load
  await expect.poll(() => here.getAttribute('href')).toBe('/eventos');
});

it('an audit row tells when, what and from where without scrolling sideways', async () => {
  const page = await visit('/auditoria', { viewport: DESKTOP });
  await signIn(page, 'admin');
  await page.locator('tbody tr').first().waitFor();
  expect(await cutOff(page.locator('.table-frame'))).toEqual([]);
  expect(await cutOff(page.locator('td:has(time), td:nth-child(3), td:nth-child(6)'))).toEqual([]);
  const what = page.locator('tbody tr').first().locator('td:nth-child(3)');
  for (const action of await page.locator('select option').allTextContents()) {
    await what.locator('.table__value').evaluate((value, text) => { value.textContent = text; }, action);
    expect(await cutOff(what)).toEqual([]);
  }
});

it.each([['phone', PHONE], ['small phone', SMALL]])('a card on a %s shows its values whole', async (_, viewport) => {
  const page = await visit('/auditoria', { viewport });
  await signIn(page, 'admin');
  await page.locator('tbody tr').first().waitFor();
  expect(await cutOff(page.locator('td .table__value, td .mono'))).toEqual([]);
  await goTo(page, '/leads');
  await expectNoSidewaysScroll(page);
  const inside = await page.locator('.leads-toolbar .field').evaluateAll((all) => all.every((field) =>
    [...field.querySelectorAll('input, select')].every((one) => one.getBoundingClientRect().right <= field.getBoundingClientRect().right + 1)));
  expect(inside).toBe(true);
});

it('an event without a state has a dash there and no empty mark', async () => {
  await deliver(FEED);
  const page = await visit('/eventos');
  await signIn(page, 'admin');
  await page.locator('tbody tr').first().waitFor();
  expect(await page.locator('main .badge:empty').count()).toBe(0);
});
