import { useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { Button } from '@/ui/Button';
import { SelectField, TextField } from '@/ui/Field';
import { Icon } from '@/ui/icons';
import { useFormat } from '@/i18n/format';
import { active, fromLocalInput, isSpan, search, SPANS, STATES, toLocalInput, understand, type DeliveryFilters, type FilterName, type Span } from './filters';
import { SavedFilters } from './SavedFilters';

interface Props {
  filters: DeliveryFilters;
  set: (change: Partial<DeliveryFilters>) => void;
}

function Box({ set }: Pick<Props, 'set'>) {
  const { t } = useTranslation('deliveries');
  const [text, setText] = useState('');
  const [, go] = useLocation();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const { id, filters } = understand(text);
    if (id !== null) go(`/entregas/${id}${search(filters)}`);
    else set(filters);
    setText('');
  };
  return (
    <form role="search" className="searchbox" onSubmit={submit}>
      <TextField label={t('search.label')} type="search" value={text} maxLength={300} placeholder={t('search.placeholder')} autoComplete="off" spellCheck={false}
        before={<Icon name="search" size={16} />} onChange={(event) => setText(event.target.value)} />
      <Button type="submit" kind="primary">{t('search.go')}</Button>
    </form>
  );
}

/** A field whose text becomes a filter when it is left or Enter is pressed. */
function Late({ label, hint, value, onChange }: { label: string; hint?: string; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value);
  }
  const take = (): void => {
    if (text.trim() !== value) onChange(text.trim());
  };
  return <TextField label={label} hint={hint} value={text} maxLength={300} onChange={(event) => setText(event.target.value)} onBlur={take}
    onKeyDown={(event) => event.key === 'Enter' && take()} />;
}

function Span({ filters, set }: Props) {
  const { t } = useTranslation('deliveries');
  const dated = (filters.desde !== '' && !isSpan(filters.desde)) || filters.ate !== '';
  const [custom, setCustom] = useState(dated);
  const shown = custom || dated;
  return (
    <>
      <SelectField label={t('search.span')} value={shown ? 'custom' : filters.desde} onChange={({ target: { value } }) => {
        setCustom(value === 'custom');
        if (value !== 'custom') set({ desde: value, ate: '' });
      }}>
        <option value="">{t('search.always')}</option>
        {(Object.keys(SPANS) as Span[]).map((one) => <option key={one} value={one}>{t(`search.last.${one}`)}</option>)}
        <option value="custom">{t('search.custom')}</option>
      </SelectField>
      {shown && <TextField type="datetime-local" label={t('search.from')} value={toLocalInput(filters.desde)} onChange={(event) => set({ desde: fromLocalInput(event.target.value) })} />}
      {shown && <TextField type="datetime-local" label={t('search.to')} value={toLocalInput(filters.ate)} onChange={(event) => set({ ate: fromLocalInput(event.target.value) })} />}
    </>
  );
}

export function useFilterWords(): (name: FilterName, value: string) => string {
  const { t } = useTranslation('deliveries');
  const format = useFormat();
  return (name, value) => {
    let words = value;
    if (name === 'estado') words = STATES.some((one) => one === value) ? t(`state.${value as 'morta'}`) : value;
    if (name === 'desde' || name === 'ate') words = isSpan(value) ? t(`search.last.${value}`) : Number.isNaN(Date.parse(value)) ? value : format.dateTime(value);
    return t(`search.chip.${name}`, { valor: words });
  };
}

export function Filters({ filters, set }: Props) {
  const { t } = useTranslation('deliveries');
  const words = useFilterWords();
  const on = active(filters);
  return (
    <div className="filters">
      <Box set={set} />
      <details className="help"><summary className="small">{t('search.help')}</summary><p className="muted small">{t('search.helpText')}</p></details>
      {on.length > 0 && (
        <div className="cluster">
          {on.map((name) => (
            <Button key={name} size="small" icon="close" aria-label={t('search.remove', { filtro: words(name, filters[name]) })}
              onClick={() => set(name === 'valor' ? { valor: '', campo: '' } : { [name]: '' })}>{words(name, filters[name])}</Button>
          ))}
          <Button kind="quiet" size="small" onClick={() => set({ estado: '', motivo: '', formulario: '', desde: '', ate: '', pedido: '', campo: '', valor: '' })}>{t('search.clear')}</Button>
        </div>
      )}
      <details>
        <summary>{t('search.more')}</summary>
        <div className="filters__grid">
          <SelectField label={t('search.state')} value={filters.estado} onChange={(event) => set({ estado: event.target.value })}>
            <option value="">{t('anyState')}</option>
            {STATES.map((one) => <option key={one} value={one}>{t(`state.${one}`)}</option>)}
          </SelectField>
          <Span filters={filters} set={set} />
          <Late label={t('search.reason')} hint={t('search.reasonHint')} value={filters.motivo} onChange={(motivo) => set({ motivo })} />
          <Late label={t('search.form')} value={filters.formulario} onChange={(formulario) => set({ formulario })} />
          <Late label={t('search.request')} value={filters.pedido} onChange={(pedido) => set({ pedido })} />
          <Late label={t('search.field')} hint={t('search.fieldHint')} value={filters.campo} onChange={(campo) => set({ campo })} />
          <Late label={t('search.value')} hint={t('search.valueHint')} value={filters.valor} onChange={(valor) => set({ valor })} />
        </div>
      </details>
      <SavedFilters list="entregas" search={search(filters)} />
    </div>
  );
}
