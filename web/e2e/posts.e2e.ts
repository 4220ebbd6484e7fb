import { expect, it } from 'vitest';
import { accessLog, api, control, newPost, token } from './support/stack';
import { allow, another, expectAccessible, inAllLooks, REFUSALS, signIn, useBrowser, visit } from './support/browser';

useBrowser();

const unique = (text: string): string => `${text} ${Math.random().toString(36).slice(2, 8)}`;

it('shows posts in every look', async () => {
  await newPost('Um título que é bem mais comprido do que os outros, para ver como a linha quebra numa tela estreita', 'Texto '.repeat(80));
  await newPost('Um segundo post', 'Curto.');
  await inAllLooks('posts', async (options) => {
    const page = await visit('/posts', options);
    await page.getByRole('article').first().waitFor();
    return page;
  });
});

it('writes a post as a new visitor, and finds it first in the list', async () => {
  const titulo = unique('Escrito pela página');
  const page = await visit('/');
  await page.getByRole('link', { name: 'Escrever um post' }).click();
  await page.getByLabel('Título').fill(titulo);
  await page.getByLabel('Texto', { exact: true }).fill('Primeira linha\nsegunda linha');
  await page.getByRole('button', { name: 'Publicar' }).click();
  await expect.poll(() => page.getByRole('article').first().innerText()).toContain(titulo);
  await expect.poll(() => page.url()).toMatch(/\/posts$/);
  await page.getByRole('button', { name: 'Abrir' }).click();
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe(titulo);
  expect(await page.getByText('segunda linha').innerText()).toBe('Primeira linha\nsegunda linha');
});

it('puts what the API finds wrong beside the fields, and keeps what was typed', async () => {
  allow(REFUSALS);
  const page = await visit('/posts/novo');
  await page.getByLabel('Título').fill('x'.repeat(201));
  await page.getByRole('button', { name: 'Publicar' }).click();
  const titulo = page.getByLabel('Título');
  await expect.poll(() => titulo.getAttribute('aria-invalid')).toBe('true');
  await expect.poll(() => titulo.evaluate((e) => e === document.activeElement)).toBe(true);
  const described = await titulo.getAttribute('aria-describedby');
  expect(await page.locator(`[id="${described ?? ''}"]`).innerText()).toContain('200 caracteres');
  expect(await page.getByLabel('Texto', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  await expectAccessible(page);
  await page.reload();
  await expect.poll(() => page.getByLabel('Título').inputValue()).toBe('x'.repeat(201));
});

it('publishes once, however often the button is pressed and the answer lost', async () => {
  allow(REFUSALS);
  const titulo = unique('Uma vez só');
  const page = await visit('/posts/novo');
  await page.getByLabel('Título').fill(titulo);
  await page.getByLabel('Texto', { exact: true }).fill('x');
  let lost = 0;
  await page.route('**/api/posts', async (route) => { // the API takes it, the answer never arrives
    if (route.request().method() !== 'POST') return route.fallback();
    await route.fetch();
    lost++;
    return lost === 1 ? route.abort('connectionreset') : route.fallback();
  });
  const publish = page.getByRole('button', { name: 'Publicar' });
  await publish.dblclick();
  await page.getByText('Sem resposta do servidor').waitFor();
  await publish.click();
  await page.getByRole('article').first().waitFor();
  const found = await api<{ posts: { titulo: string }[] }>('GET', `/api/posts?busca=${encodeURIComponent(titulo)}`);
  expect(found.posts.filter((post) => post.titulo === titulo)).toHaveLength(1);
});

it('shows markup as text', async () => {
  const titulo = unique('<img src=x onerror="document.title=1"><b>negrito</b>');
  const conteudo = '<script>document.title="invadido"</script><a href="javascript:alert(1)">clique</a> &amp; ${7*7} {{7*7}}';
  const { id } = await newPost(titulo, conteudo, '<i>Autor</i> {{nome}}');
  const page = await visit('/posts');
  const card = page.getByRole('article').filter({ hasText: titulo });
  await card.waitFor();
  expect(await card.innerText()).toContain('<i>Autor</i> {{nome}}');
  await page.goto(new URL(`/posts/${id}`, page.url()).href);
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe(titulo);
  expect(await page.locator('.post__text').innerText()).toBe(conteudo);
  expect(await page.locator('main img, main b, main script, main a[href^="javascript"]').count()).toBe(0);
  expect(await page.title()).toContain('<img');
});

it('grows as one scrolls, shows each post once, and comes back to where one was', async () => {
  for (let i = 0; i < 75; i++) await newPost(`Longo ${i}`, `linha ${i}`, 'Rolagem');
  const page = await visit('/posts?autor=Rolagem');
  const seen = new Set<string>();
  for (let i = 0; i < 60; i++) {
    for (const title of await page.getByRole('article').getByRole('heading').allInnerTexts()) seen.add(title);
    await page.mouse.wheel(0, 700);
    await page.waitForTimeout(60);
    if (await page.evaluate(() => scrollY + innerHeight >= document.documentElement.scrollHeight - 2) && await page.getByText('Fim da lista').isVisible()) break;
  }
  for (const title of await page.getByRole('article').getByRole('heading').allInnerTexts()) seen.add(title);
  expect(seen.size).toBe(75);
  expect(await page.getByRole('article').count()).toBeLessThan(40); // only those in sight are there
  const before = await page.evaluate(() => scrollY);
  await page.getByRole('article').last().getByRole('link').first().click();
  await page.getByRole('link', { name: 'Todos os posts' }).waitFor();
  expect(await page.evaluate(() => scrollY)).toBeLessThan(50);
  await page.goBack();
  await page.getByRole('article').first().waitFor();
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(before - 200);
});

it('searches and filters by an address that can be shared', async () => {
  const word = `palavra${Math.random().toString(36).slice(2, 8)}`;
  await newPost(`Com a ${word}`, 'x', 'Ana Maria');
  await newPost('Sem ela', 'x', 'Ana Maria');
  const page = await visit('/posts');
  await page.getByLabel('Procurar por palavras').fill(word);
  await expect.poll(() => page.getByRole('article').count()).toBe(1);
  expect(page.url()).toContain(`busca=${word}`);
  await page.getByRole('button', { name: 'Ana Maria' }).click();
  await expect.poll(() => page.url()).toContain('autor=Ana');
  const second = await another(page, new URL(page.url()).pathname + new URL(page.url()).search);
  await expect.poll(() => second.getByRole('article').count()).toBe(1);
  await page.getByRole('button', { name: 'Só os posts de Ana Maria' }).first().click();
  await page.getByLabel('Procurar por palavras').fill('nadaDissoExiste');
  await page.getByText('Nada encontrado').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Limpar os filtros' }).click();
  await expect.poll(() => page.getByRole('article').count()).toBeGreaterThan(1);
});

it('shows a new post by itself without a session; what did not change costs a 304', async () => {
  const page = await visit('/posts');
  await page.getByRole('article').first().waitFor();
  await expect.poll(async () => (await accessLog()).filter((line) => line.caminho === '/api/posts' && line.status === 304).length, { timeout: 20_000 }).toBeGreaterThan(0);
  const titulo = unique('Chegou sozinho');
  await newPost(titulo);
  await expect.poll(() => page.getByRole('article').first().innerText(), { timeout: 15_000 }).toContain(titulo);
});

it('does not move the list under a reader: new posts wait to be asked for', async () => {
  const page = await visit('/posts');
  await page.getByRole('article').first().waitFor();
  await page.mouse.wheel(0, 900);
  await page.waitForTimeout(300);
  const titulo = unique('Espera lá em cima');
  await newPost(titulo);
  const button = page.getByRole('button', { name: '1 post novo' });
  await button.waitFor({ timeout: 20_000 });
  await button.click();
  await expect.poll(() => page.getByRole('article').first().innerText()).toContain(titulo);
});

it('lets one watch the cache work', async () => {
  await newPost(unique('Esvazia o cache'));
  const page = await visit('/posts');
  await page.getByText('Cache', { exact: true }).click();
  await expect.poll(() => page.url()).toContain('fonte=cache');
  const readings = page.getByRole('table', { name: /Leituras/ }).getByRole('row');
  await expect.poll(() => readings.count()).toBe(2);
  expect(await readings.nth(1).innerText()).toContain('Banco de dados');
  await page.getByRole('button', { name: 'Ler de novo' }).click();
  await expect.poll(() => readings.count()).toBe(3);
  expect(await readings.nth(1).innerText()).toContain('Cache');
  await newPost(unique('Esvazia de novo'));
  await page.getByRole('button', { name: 'Ler de novo' }).click();
  await expect.poll(() => readings.count()).toBe(4);
  expect(await readings.nth(1).innerText()).toContain('Banco de dados');
  await expectAccessible(page);
});

it('edits and removes as an operator; a visitor is not offered it', async () => {
  allow(REFUSALS);
  const { id } = await newPost(unique('A mudar'), 'antes');
  const page = await visit(`/posts/${id}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(await page.getByRole('link', { name: 'Editar' }).count()).toBe(0);
  await signIn(page, 'operador');
  await page.getByRole('link', { name: 'Editar' }).click();
  await page.getByLabel('Texto', { exact: true }).fill('depois');
  await page.getByRole('button', { name: 'Salvar' }).click();
  await expect.poll(() => page.locator('.post__text').innerText()).toBe('depois');
  await page.getByRole('button', { name: 'Remover' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remover este post?' });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Cancelar' }).click();
  await page.getByRole('button', { name: 'Remover' }).click();
  await dialog.getByRole('button', { name: 'Remover' }).click();
  await page.getByText('Post removido.').waitFor();
  expect(page.url()).toMatch(/\/posts$/);
});

it('two editors at once: the second is shown both versions and chooses', async () => {
  allow(REFUSALS);
  const { id } = await newPost(unique('Disputado'), 'original');
  const page = await visit(`/posts/${id}`);
  await signIn(page, 'operador');
  await page.getByRole('link', { name: 'Editar' }).click();
  await page.getByLabel('Texto', { exact: true }).fill('a minha');
  await api('PATCH', `/api/posts/${id}`, { conteudo: 'a da outra' }, await token('admin'));
  await page.getByRole('button', { name: 'Salvar' }).click();
  const conflict = page.getByRole('alert').filter({ hasText: 'Outra pessoa mudou este post' });
  await conflict.waitFor();
  expect(await conflict.innerText()).toContain('a da outra');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Ficar com a minha' }).click();
  await expect.poll(() => page.locator('.post__text').innerText()).toBe('a minha');
});

it('says what is wrong while the database is away, and goes on when it is back', async () => {
  allow(REFUSALS);
  const page = await visit('/posts/novo');
  await page.getByLabel('Título').fill(unique('No meio da falta'));
  await page.getByLabel('Texto', { exact: true }).fill('x');
  await control('stop', 'pg');
  try {
    await page.getByRole('button', { name: 'Publicar' }).click();
    await page.getByText('O servidor não está pronto').waitFor();
    expect(await page.getByText(/Código para o suporte/).innerText()).toMatch(/[0-9a-f]{8}/);
    await expect.poll(() => page.getByText('Com problemas').count(), { timeout: 20_000 }).toBeGreaterThan(0);
    const list = await another(page, '/posts');
    await list.getByText('O servidor não está pronto').waitFor();
    await expectAccessible(list);
    await list.close();
  } finally {
    await control('start', 'pg');
  }
  await expect.poll(async () => {
    await page.getByRole('button', { name: 'Publicar' }).click({ timeout: 2000 }).catch(() => undefined);
    return page.getByRole('article').count();
  }, { timeout: 20_000, interval: 1000 }).toBeGreaterThan(0);
});

it('says that there is no network, and goes on when there is', async () => {
  allow(REFUSALS, /ERR_INTERNET_DISCONNECTED/);
  const page = await visit('/posts');
  await page.getByRole('article').first().waitFor();
  await page.context().setOffline(true);
  await page.getByText('Sem rede: o que você vê').waitFor();
  await expectAccessible(page);
  const titulo = unique('De volta');
  await newPost(titulo);
  await page.context().setOffline(false);
  await expect.poll(() => page.getByRole('article').first().innerText(), { timeout: 15_000 }).toContain(titulo);
});

it('a post that is not there is told, not a failure', async () => {
  allow(REFUSALS);
  const page = await visit('/posts/999999');
  await page.getByText('Este post não existe').waitFor();
  await page.goto(new URL('/posts/abc', page.url()).href);
  await page.getByText('Este post não existe').waitFor();
  await page.goto(new URL('/nada', page.url()).href);
  await page.getByText('Esta página não existe').waitFor();
  await expectAccessible(page);
});
