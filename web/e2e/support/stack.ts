// What tests/web/run.py tells of the stack, and calls past the page.
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';

function told(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run tests/web/run.py (make web-test)`);
  return value;
}

export const FRONT = told('FRONT_URL');
export const SHOTS = told('SHOTS');
export const PASSWORD = told('PASSWORD');
export type Who = 'admin' | 'operador' | 'leitor';
export const email = (who: Who): string => told(`${who.toUpperCase()}_EMAIL`);

type Verb = 'stop' | 'start' | 'kill' | 'freeze' | 'thaw';
type Server = 'pg' | 'redis' | 'api' | 'worker' | 'front';

/** Stops, starts, freezes or thaws one of the servers; done when it is. */
export async function control(verb: Verb, server: Server): Promise<void> {
  const answer = await fetch(`${told('CONTROL_URL')}/${verb}/${server}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`${verb} ${server}: ${answer.status}`);
}

export async function accessLog(): Promise<{ metodo: string; caminho: string; status: number }[]> {
  const text = await (await fetch(`${told('CONTROL_URL')}/log/front`)).text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { metodo: string; caminho: string; status: number });
}

export async function api<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(FRONT + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export interface Post {
  id: number;
  titulo: string;
}

export function newPost(titulo: string, conteudo = 'Texto.', autor?: string): Promise<Post> {
  return api('POST', '/api/posts', { titulo, conteudo, autor });
}

const tokens = new Map<Who, { until: number; headers: Record<string, string> }>();

/** Of a session that lasts longer than a file of tests; the one that is there is used again, since each costs a hash. */
export async function token(who: Who): Promise<Record<string, string>> {
  const known = tokens.get(who);
  if (known && known.until > Date.now()) return known.headers;
  const login = (): Promise<{ token: string }> => api('POST', '/api/auth/login', { email: email(who), senha: PASSWORD });
  const session = await login().catch(login); // on a busy machine: support/browser.ts, fillSignInAs
  const headers = { Authorization: `Bearer ${session.token}` };
  tokens.set(who, { until: Date.now() + 10 * 60_000, headers });
  return headers;
}

/** A delivery as Meta would send it. */
export async function deliver(body: unknown): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const mac = createHmac('sha256', told('META_APP_SECRET')).update(text).digest('hex');
  const answer = await fetch(`${FRONT}/webhook`, {
    method: 'POST', body: text, headers: { 'Content-Type': 'application/json', 'X-Hub-Signature-256': `sha256=${mac}` },
  });
  if (!answer.ok) throw new Error(`webhook: ${answer.status}`);
}

/** Past the API, for what would take it too long: rows by the thousand. */
export function sql(text: string): string {
  return execFileSync('psql', [told('DATABASE_URL'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', text], { encoding: 'utf8', timeout: 60_000 }).trim();
}
