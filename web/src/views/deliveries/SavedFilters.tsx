import { useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { toast } from '@/ui/toast';
import { readSaved, withSaved, writeSaved, type Saved } from './saved';

/** A browser has no clipboard for a page that came over plain HTTP from another machine. */
const canCopy = 'clipboard' in navigator;

/** Filters with a name, kept in this browser; each is a link. */
export function SavedFilters({ list, search }: { list: 'entregas' | 'eventos'; search: string }) {
  const { t } = useTranslation('deliveries');
  const [saved, setSaved] = useState<Saved[]>(() => readSaved(list));
  const [name, setName] = useState('');
  const keep = (next: Saved[]): void => {
    setSaved(next);
    writeSaved(list, next);
  };
  const share = async (one: Saved): Promise<void> => {
    await navigator.clipboard.writeText(new URL(`/${list}${one.search}`, location.href).href);
    toast(t('saved.shared'));
  };
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (name.trim() === '') return;
    keep(withSaved(saved, { name: name.trim(), search }));
    toast(t('saved.saved', { nome: name.trim() }));
    setName('');
  };
  return (
    <details>
      <summary>{t('saved.title')}{saved.length > 0 ? ` (${saved.length})` : ''}</summary>
      <div className="stack stack--tight">
        {saved.length === 0 ? <p className="muted small">{t('saved.none')}</p> : (
          <ul className="cluster">
            {saved.map((one) => (
              <li key={one.name} className="cluster">
                <Link className="button button--small" href={`/${list}${one.search}`}>{one.name}</Link>
                {canCopy && <Button kind="quiet" size="small" icon="copy" aria-label={t('saved.share', { nome: one.name })} onClick={() => void share(one)} />}
                <Button kind="quiet" size="small" icon="trash" aria-label={t('saved.remove', { nome: one.name })} onClick={() => keep(saved.filter((other) => other.name !== one.name))} />
              </li>
            ))}
          </ul>
        )}
        {search !== '' && (
          <form className="searchbox" onSubmit={submit}>
            <TextField label={t('saved.name')} hint={t('saved.kept')} value={name} maxLength={60} onChange={(event) => setName(event.target.value)}
              after={<Button type="submit">{t('saved.save')}</Button>} />
          </form>
        )}
      </div>
    </details>
  );
}
