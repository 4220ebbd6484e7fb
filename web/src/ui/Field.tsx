import { useId, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';

interface Around {
  label: ReactNode;
  /** What the API or the page found wrong; read out with the field. */
  error?: string | null;
  /** The language of `error`, when it is not the page's: the API speaks Portuguese. */
  errorLang?: string;
  hint?: ReactNode;
  /** At the end of the line below: a count. */
  count?: ReactNode;
  hideLabel?: boolean;
}

interface Ids {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
}

function Frame({ label, error, errorLang, hint, count, hideLabel, children }: Around & { children: (ids: Ids) => ReactNode }) {
  const id = useId();
  const described = [error && `${id}-e`, hint && `${id}-h`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label className={hideLabel ? 'sr-only' : 'field__label'} htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': described === '' ? undefined : described, 'aria-invalid': error ? true : undefined })}
      {(error ?? hint ?? count) && (
        <div className="field__foot">
          <span>
            {error && <span className="field__error" id={`${id}-e`} lang={errorLang}>{error}</span>}
            {hint && <span className="field__hint" id={`${id}-h`}>{hint}</span>}
          </span>
          {count && <span className="field__hint num">{count}</span>}
        </div>
      )}
    </div>
  );
}

type InputProps = Around & InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement>; before?: ReactNode; after?: ReactNode };

export function TextField({ label, error, errorLang, hint, count, hideLabel, before, after, ...rest }: InputProps) {
  return (
    <Frame {...{ label, error, errorLang, hint, count, hideLabel }}>
      {(ids) => (
        <div className="input-with">
          {before}
          <input type="text" {...rest} {...ids} className="input" />
          {after}
        </div>
      )}
    </Frame>
  );
}

export function TextArea({ label, error, errorLang, hint, count, hideLabel, ...rest }: Around & TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> }) {
  return (
    <Frame {...{ label, error, errorLang, hint, count, hideLabel }}>
      {(ids) => <textarea rows={8} {...rest} {...ids} className="input" />}
    </Frame>
  );
}

export function SelectField({ label, error, errorLang, hint, count, hideLabel, ...rest }: Around & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Frame {...{ label, error, errorLang, hint, count, hideLabel }}>
      {(ids) => <select {...rest} {...ids} className="input" />}
    </Frame>
  );
}
