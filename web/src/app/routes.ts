// Every address of the page: one row each. A view is its own chunk, loaded when its address is; what it
// exports as `default` is the whole view, heading included.
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import type { Role } from '@/api/session';
import type { IconName } from '@/ui/icons';

type Load = () => Promise<{ default: ComponentType }>;
type View = LazyExoticComponent<ComponentType> & { load: Load };

function view(load: Load): View {
  return Object.assign(lazy(load), { load });
}

type NavKey = 'posts' | 'now' | 'leads' | 'deliveries' | 'events' | 'files' | 'accounts' | 'audit' | 'docs';

export interface PageRoute {
  path: string;
  view: View;
  /** Least role; without it the view is open to all. The API enforces it, this only tells. */
  role?: Role;
  /** Under which section of the navigation it belongs. */
  section: NavKey;
}

export interface Section {
  key: NavKey;
  path: string;
  icon: IconName;
  role?: Role;
}

const posts = view(() => import('@/views/posts/PostsView'));
const post = view(() => import('@/views/posts/PostView'));
const postForm = view(() => import('@/views/posts/PostFormView'));
const now = view(() => import('@/views/now/NowView'));
const leads = view(() => import('@/views/leads/LeadsView'));
const lead = view(() => import('@/views/leads/LeadView'));
const accounts = view(() => import('@/views/accounts/AccountsView'));
const files = view(() => import('@/views/files/FilesView'));
const audit = view(() => import('@/views/audit/AuditView'));
const deliveries = view(() => import('@/views/deliveries/DeliveriesView'));
const jobs = view(() => import('@/views/deliveries/JobsView'));
const test = view(() => import('@/views/deliveries/TestView'));
const events = view(() => import('@/views/events/EventsView'));
const docs = view(() => import('@/views/docs/DocsView'));

export const ROUTES: PageRoute[] = [
  { path: '/posts', view: posts, section: 'posts' },
  { path: '/posts/novo', view: postForm, section: 'posts' },
  { path: '/posts/:id', view: post, section: 'posts' },
  { path: '/posts/:id/editar', view: postForm, section: 'posts', role: 'operador' },
  { path: '/agora', view: now, section: 'now' },
  { path: '/leads', view: leads, section: 'leads', role: 'leitor' },
  { path: '/leads/:id', view: lead, section: 'leads', role: 'leitor' },
  { path: '/arquivos', view: files, section: 'files', role: 'leitor' },
  { path: '/contas', view: accounts, section: 'accounts', role: 'admin' },
  { path: '/auditoria', view: audit, section: 'audit', role: 'admin' },
  { path: '/entregas/:id?', view: deliveries, section: 'deliveries', role: 'leitor' },
  { path: '/reenvios/:id?', view: jobs, section: 'deliveries', role: 'operador' },
  { path: '/teste', view: test, section: 'deliveries', role: 'operador' },
  { path: '/eventos/:id?', view: events, section: 'events', role: 'leitor' },
  { path: '/docs', view: docs, section: 'docs' },
];

export const SECTIONS: Section[] = [
  { key: 'posts', path: '/posts', icon: 'posts' },
  { key: 'now', path: '/agora', icon: 'now' },
  { key: 'leads', path: '/leads', icon: 'leads', role: 'leitor' },
  { key: 'files', path: '/arquivos', icon: 'files', role: 'leitor' },
  { key: 'accounts', path: '/contas', icon: 'accounts', role: 'admin' },
  { key: 'audit', path: '/auditoria', icon: 'audit', role: 'admin' },
  { key: 'deliveries', path: '/entregas', icon: 'deliveries', role: 'leitor' },
  { key: 'events', path: '/eventos', icon: 'events', role: 'leitor' },
  { key: 'docs', path: '/docs', icon: 'docs' },
];

/** What an address will show: known before React begins, so that its code and its texts can be on their way. */
export function routeOf(pathname: string): PageRoute | undefined {
  const path = pathname === '/' ? '/posts' : pathname;
  return ROUTES.find((route) => route.path === path) ?? ROUTES.find((route) => path.startsWith(route.path.split(':')[0] ?? '') && route.path.includes(':'));
}
