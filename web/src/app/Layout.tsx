import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { wantSignIn } from '@/api/session';
import { may, useSession } from '@/api/useSession';
import { useOnline } from '@/lib/online';
import { Button } from '@/ui/Button';
import { Icon } from '@/ui/icons';
import { ROUTES, SECTIONS } from './routes';
import { StatusPill } from './StatusPill';

const UserMenu = lazy(() => import('./UserMenu'));

function Nav() {
  const { t } = useTranslation();
  const [path] = useLocation();
  const session = useSession();
  const own = ROUTES.filter((route) => {
    const base = route.path.split('/:')[0] ?? '';
    return path === base || path.startsWith(`${base}/`);
  });
  const here = own[0]?.section;
  // Who is signed in is spared what is not for them; who is not sees what there is.
  const shown = SECTIONS.filter(({ role }) => !role || session.user === null || may(session, role));
  const bar = useRef<HTMLElement>(null);
  // On a phone the bar is wider than the screen: where one is must be in sight.
  useEffect(() => {
    bar.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }); // a promise in newer browsers
  }, [here, shown.length]);
  return (
    <nav className="nav" aria-label={t('nav.label')} ref={bar}>
      <ul className="nav__list">
        {shown.map(({ key, path: to, icon, role }) => (
          <li key={key}>
            <Link className="nav__link" href={to} aria-current={here === key ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{t(`nav.${key}`)}</span>
              {role && session.user === null && (
                <>
                  <Icon name="lock" size={14} className="nav__lock" />
                  <span className="sr-only">{t('nav.needsSignIn')}</span>
                </>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The menu's own code comes when it is wanted, and opens itself when it is here. */
function Menu() {
  const { t } = useTranslation();
  const { user } = useSession();
  const [wanted, setWanted] = useState(false);
  const label = user ? t('account.open', { nome: user.nome }) : t('prefs.open');
  const button = (
    <Button kind="quiet" icon={user ? 'user' : 'settings'} aria-haspopup="menu" aria-label={label} title={label} onClick={() => setWanted(true)} />
  );
  if (!wanted) return button;
  return <Suspense fallback={button}><UserMenu label={label} /></Suspense>;
}

function Banner() {
  const { t } = useTranslation();
  const online = useOnline();
  const { ended } = useSession();
  if (!online) return <p className="banner" role="status"><Icon name="offline" />{t('offlineBanner')}</p>;
  if (!ended) return null;
  return (
    <div className="banner" role="status">
      <Icon name="lock" />
      <span>{t('signIn.endedBanner')}</span>
      <Button size="small" onClick={() => void wantSignIn()}>{t('account.signIn')}</Button>
    </div>
  );
}

export function Layout({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { user } = useSession();
  return (
    <div className="shell">
      <a className="skip" href="#conteudo" onClick={(event) => {
        event.preventDefault();
        document.getElementById('conteudo')?.focus();
      }}>{t('skip')}</a>
      <header className="topbar">
        <Link className="brand" href="/posts"><span className="brand__mark" aria-hidden="true" />{t('app')}</Link>
        <div className="topbar__end">
          <StatusPill />
          {!user && <Button kind="quiet" onClick={() => void wantSignIn()}>{t('account.signIn')}</Button>}
          <Menu />
        </div>
      </header>
      <Banner />
      <Nav />
      <main className="main" id="conteudo" tabIndex={-1}>{children}</main>
    </div>
  );
}
