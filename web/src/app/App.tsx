import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Redirect, Route, Switch } from 'wouter';
import { newQueryClient } from '@/api/query';
import { useSession } from '@/api/useSession';
import { passwordAsked } from '@/views/accounts/asked';
import { useHeading, useTitle } from '@/lib/page';
import { ConfirmHost } from '@/ui/confirm';
import { Loading, Notice } from '@/ui/states';
import { ToastHost } from '@/ui/toast';
import { ErrorBoundary } from './ErrorBoundary';
import { Gate } from './Gate';
import { Layout } from './Layout';
import { useOtherAccount } from './useOtherAccount';
import { ROUTES, type Section } from './routes';

const SignInDialog = lazy(() => import('./SignInDialog'));
const PasswordDialog = lazy(() => import('@/views/accounts/PasswordDialog'));

function NotFound() {
  const { t } = useTranslation();
  useTitle(t('notFound'));
  useHeading();
  return (
    <Notice icon="alert" title={t('notFound')} level={1}>
      <p>{t('notFoundText')}</p>
      <Link className="button" href="/posts">{t('home')}</Link>
    </Notice>
  );
}

/** While a view's code comes: what it will be is known. */
function Coming({ section }: { section: Section['key'] }) {
  const { t } = useTranslation();
  return <><h1 className="sr-only">{t(`nav.${section}`)}</h1><Loading /></>;
}

function Views() {
  return (
    <Switch>
      <Route path="/"><Redirect to="/posts" replace /></Route>
      {ROUTES.map(({ path, view: View, role, section }) => (
        <Route key={path} path={path}>
          <ErrorBoundary key={path}>
            <Gate role={role} section={section}>
              <Suspense fallback={<Coming section={section} />}><View /></Suspense>
            </Gate>
          </ErrorBoundary>
        </Route>
      ))}
      <Route><NotFound /></Route>
    </Switch>
  );
}

function Hosts() {
  const { prompt } = useSession();
  const changing = useSyncExternalStore(passwordAsked.subscribe, passwordAsked.get);
  useOtherAccount();
  return (
    <>
      {changing && <Suspense><PasswordDialog /></Suspense>}
      {prompt !== 'none' && <Suspense><SignInDialog /></Suspense>}
      <ConfirmHost />
      <ToastHost />
    </>
  );
}

export function App() {
  const [client] = useState(newQueryClient);
  return (
    <ErrorBoundary>
      <QueryClientProvider client={client}>
        <Suspense fallback={<Loading />}>
          <Layout><Views /></Layout>
          <Hosts />
        </Suspense>
      </QueryClientProvider>
    </ErrorBoundary>
  );
}
