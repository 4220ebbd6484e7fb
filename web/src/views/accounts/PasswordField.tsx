import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { Icon } from '@/ui/icons';
import { rules, type Rule } from './password';

const RULES: Rule[] = ['length', 'address', 'varied'];

/** A new password, with what it has to be in sight while it is typed. */
export function PasswordField({ label, name = 'senha', value, email, error, onChange }: { label: string; name?: string; value: string; email: string; error?: string; onChange: (value: string) => void }) {
  const { t } = useTranslation(['accounts', 'common']);
  const [shown, setShown] = useState(false);
  const kept = rules(value, email);
  return (
    <div className="stack stack--tight">
      <TextField label={label} name={name} type={shown ? 'text' : 'password'} autoComplete="new-password" required value={value}
        error={error} errorLang="pt-BR" hint={t('rule.common')} onChange={(event) => onChange(event.target.value)}
        after={<Button aria-pressed={shown} onClick={() => setShown(!shown)}>{t(shown ? 'common:signIn.hide' : 'common:signIn.show')}</Button>} />
      <ul className="small">
        {RULES.map((rule) => (
          <li key={rule} className="cluster muted">
            <Icon name={kept[rule] ? 'check' : 'wait'} size={14} />
            <span>{t(`rule.${rule}`)}<span className="sr-only"> {t(kept[rule] ? 'rule.kept' : 'rule.open')}</span></span>
          </li>
        ))}
      </ul>
    </div>
  );
}
