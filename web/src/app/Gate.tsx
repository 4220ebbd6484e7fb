import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { wantSignIn, type Role } from '@/api/session';
import { may, useSession } from '@/api/useSession';
import { useHeading, useTitle } from '@/lib/page';
import { Button } from '@/ui/Button';
import { Notice } from '@/ui/states';
import type { Section } from './routes';

function Closed({ section, signedIn }: { section: Section['key']; signedIn: boolean }) {
  const { t } = useTranslation();
  useTitle(t(`nav.${section}`));
  useHeading();
  if (signedIn) {
    return <Notice icon="lock" level={1} title={t('signIn.roleTitle')}><p>{t('signIn.roleText')}</p></Notice>;
  }
  return (
    <Notice icon="lock" level={1} title={t('signIn.gateTitle')}>
      <p className="notice__text">{t('signIn.gateText')}</p>
      <Button kind="primary" onClick={() => void wantSignIn()}>{t('account.signIn')}</Button>
    </Notice>
  );
}

/** A view that wants a role. One whose session ended stays in place: the dialog over it gives it back. */
export function Gate({ role, section, children }: { role: Role | undefined; section: Section['key']; children: ReactNode }) {
  const state = useSession();
  if (role === undefined || may(state, role) || (state.user === null && state.ended)) return children;
  return <Closed section={section} signedIn={state.user !== null} />;
}
