import { useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { declineSignIn, signIn } from '@/api/session';
import { ApiError, isApiError } from '@/api/errors';
import { useSession } from '@/api/useSession';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/Field';
import { ErrorBox, Notice } from '@/ui/states';

export default function SignInDialog() {
  const { t } = useTranslation();
  const { prompt } = useSession();
  const [shown, setShown] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = error instanceof ApiError ? error.fields : null;
  const onFields = (fields?.size ?? 0) > 0;

  const submit = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await signIn(email, password);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={t('signIn.title')} onClose={declineSignIn}>
      {prompt === 'ended' && <p>{t('signIn.ended')}</p>}
      {error !== null && !onFields && (isApiError(error, 401)
        ? <Notice icon="alert" inline role="alert" title={t('signIn.wrong')} />
        : <ErrorBox error={error} inline />)}
      <form className="stack" onSubmit={(event) => void submit(event)} noValidate>
        <TextField label={t('signIn.email')} name="email" type="email" autoComplete="username" required autoCapitalize="none"
          value={email} onChange={(event) => setEmail(event.target.value)}
          spellCheck={false} error={fields?.get('email')} errorLang="pt-BR" />
        <TextField label={t('signIn.password')} name="senha" type={shown ? 'text' : 'password'} autoComplete="current-password"
          value={password} onChange={(event) => setPassword(event.target.value)}
          required error={fields?.get('senha')} errorLang="pt-BR"
          after={<Button aria-pressed={shown} onClick={() => setShown(!shown)}>{t(shown ? 'signIn.hide' : 'signIn.show')}</Button>} />
        <div className="dialog__foot">
          <Button onClick={declineSignIn}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(busy ? 'signIn.busy' : 'signIn.submit')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
