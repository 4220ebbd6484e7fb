import { useEffect, useState } from 'react';
import { useDebounced } from '@/lib/useDebounced';
import { TextField } from './Field';
import { Icon } from './icons';

/** What is typed counts once the typing rests; `value` may change otherwise, too (back, forward, "clear"). */
export function SearchField({ label, value, onChange, placeholder, hint, search = true, inputMode }: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  hint?: string;
  search?: boolean;
  inputMode?: 'numeric';
}) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const settled = useDebounced(text);
  if (seen !== value) {
    setSeen(value);
    if (text.trim() !== value) setText(value);
  }
  useEffect(() => {
    if (settled === text && settled.trim() !== value) onChange(settled.trim());
  }, [settled, text, value, onChange]);
  return (
    <TextField label={label} type={search ? 'search' : 'text'} maxLength={200} value={text} placeholder={placeholder} hint={hint}
      inputMode={inputMode} before={search && <Icon name="search" size={16} />} onChange={(event) => setText(event.target.value)} />
  );
}
