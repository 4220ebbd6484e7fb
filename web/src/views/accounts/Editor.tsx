import { useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { ApiError } from '@/api/errors';
import { endedByChange, refresh, type Role, type User } from '@/api/session';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { SelectField, TextField } from '@/ui/Field';
import { ErrorBox } from '@/ui/states';
import { toast } from '@/ui/toast';
import { PasswordField } from './PasswordField';

const ROLES: Role[] = ['leitor', 'operador', 'admin'];

/** A new account, or a changed one: then only what differs is sent. */
export function Editor({ user, own, onDone, onClose }: { user: User | null; own: boolean; onDone: () => void; onClose: () => void }) {
  const { t } = useTranslation(['accounts', 'common']);
  const [nome, setNome] = useState(user?.nome ?? '');
  const [email, setEmail] = useState(user?.email ?? '');
  const [papel, setPapel] = useState<Role>(user?.papel ?? 'leitor');
  const [ativo, setAtivo] = useState(user?.ativo ?? true);
  const [senha, setSenha] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = error instanceof ApiError ? error.fields : null;

  /** Tells whether the API ended the account's sessions by it. */
  const save = async (): Promise<boolean> => {
    if (!user) {
      await api.post('/api/usuarios', { body: { nome, email, papel, senha } });
      return false;
    }
    const body = {
      ...(nome === user.nome ? {} : { nome }), ...(papel === user.papel ? {} : { papel }),
      ...(ativo === user.ativo ? {} : { ativo }), ...(senha === '' ? {} : { senha }),
    };
    if (Object.keys(body).length > 0) await api.patch('/api/usuarios/{id}', { path: { id: user.id }, body });
    return 'papel' in body || 'ativo' in body || 'senha' in body;
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const ends = await save();
      toast(t(own && ends ? 'signInAgain' : user ? 'saved' : 'created'));
      onDone();
      if (own && ends) endedByChange();
      else if (own) refresh(); // a new name
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(user ? 'editTitle' : 'newTitle')} onClose={onClose}>
      <form className="stack" noValidate onSubmit={(event) => void submit(event)}>
        {error !== null && (fields?.size ?? 0) === 0 && <ErrorBox error={error} inline />}
        {own && <p className="muted">{t('ownWarning')}</p>}
        <TextField label={t('name')} name="nome" required value={nome} error={fields?.get('nome')} errorLang="pt-BR" onChange={(event) => setNome(event.target.value)} />
        {user ? <p className="muted">{user.email}</p>
          : <TextField label={t('email')} name="email" type="email" autoComplete="off" required value={email} error={fields?.get('email')} errorLang="pt-BR" onChange={(event) => setEmail(event.target.value)} />}
        <SelectField label={t('role')} value={papel} error={fields?.get('papel')} errorLang="pt-BR" hint={t(`roleHint.${papel}`)} onChange={(event) => setPapel(event.target.value as Role)}>
          {ROLES.map((one) => <option key={one} value={one}>{t(`common:account.role.${one}`)}</option>)}
        </SelectField>
        {user && <label className="cluster"><input type="checkbox" checked={ativo} onChange={(event) => setAtivo(event.target.checked)} />{t('active')}</label>}
        <PasswordField label={t(user ? 'newPassword' : 'password')} value={senha} email={email} error={fields?.get('senha')} onChange={setSenha} />
        {user && <p className="muted small">{t('endsSessions')}</p>}
        <div className="dialog__foot">
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(user ? 'save' : 'create')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
