import { useEffect, useId, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';

/** A modal dialog: the browser's own, which keeps the focus in, gives it back and closes on Escape. */
export function Dialog({ title, onClose, returnTo, wide = false, children }: {
  title: ReactNode;
  onClose: () => void;
  /** Id of what has the focus afterwards, when what had it before is gone by then (a menu's entry). */
  returnTo?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      const after = returnTo === undefined ? before : document.getElementById(returnTo);
      if (after instanceof HTMLElement && after.isConnected) after.focus();
    };
  }, [returnTo]);

  return (
    <dialog ref={ref} className={wide ? 'dialog dialog--wide' : 'dialog'} aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}>
      <div className="dialog__head">
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" size="small" icon="close" aria-label={t('close')} onClick={onClose} />
      </div>
      <div className="dialog__body">{children}</div>
    </dialog>
  );
}
