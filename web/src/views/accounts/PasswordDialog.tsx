import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { ApiError } from '@/api/errors';
import { replaceWith } from '@/api/session';
import { useSession } from '@/api/useSession';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/Field';
import { ErrorBox } from '@/ui/states';
import { toast } from '@/ui/toast';
import { passwordAsked } from './asked';
import { PasswordField } from './PasswordField';

const close = (): void => passwordAsked.set(false);

/** One's own password. All sessions of the account end by it but this browser's, which goes on with a new token. */
export default function PasswordDialog() {
  const { t } = useTranslation(['accounts', 'common']);
  const { user, ended } = useSession();
  const [email] = useState(user?.email ?? '');
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const form = useRef<HTMLFormElement>(null);
  const fields = error instanceof ApiError ? error.fields : null;
  const gone = user === null ? !ended : user.email !== email; // signed out, or as somebody else, in another window

  useEffect(() => {
    if (gone) close();
  }, [gone]);
  useEffect(() => { // to what is to be corrected first
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [error]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      replaceWith(await api.post('/api/auth/senha', { body: { senha_atual: current, senha_nova: next } }));
      toast(t('own.changed'));
      close();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('own.title')} onClose={close} returnTo="menu-da-conta">
      <form ref={form} className="stack" noValidate onSubmit={(event) => void submit(event)}>
        <p className="muted">{t('own.text')}</p>
        {error !== null && (fields?.size ?? 0) === 0 && <ErrorBox error={error} inline />}
        <input hidden readOnly name="email" autoComplete="username" value={email} />
        <TextField label={t('own.current')} name="senha_atual" type="password" autoComplete="current-password" required value={current}
          error={fields?.get('senha_atual')} errorLang="pt-BR" onChange={(event) => setCurrent(event.target.value)} />
        <PasswordField label={t('own.next')} name="senha_nova" value={next} email={email} error={fields?.get('senha_nova')} onChange={setNext} />
        <div className="dialog__foot">
          <Button onClick={close}>{t('common:cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(busy ? 'own.changing' : 'own.change')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
