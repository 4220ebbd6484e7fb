import type { ButtonHTMLAttributes, Ref } from 'react';
import { Icon, type IconName } from './icons';

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'disabled'> {
  kind?: 'primary' | 'danger' | 'quiet' | 'normal';
  size?: 'normal' | 'small';
  icon?: IconName;
  /** Its work is under way: pressing again does nothing, the focus stays where it is. */
  busy?: boolean;
  /** Cannot be pressed now; stays focusable, so that a reader can find out. */
  off?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind = 'normal', size = 'normal', icon, busy = false, off = false, className = '', children, onClick, type = 'button', ...rest }: ButtonProps) {
  const classes = ['button', `button--${kind}`, `button--${size}`, children ? '' : 'button--icon', className];
  const still = busy || off;
  return (
    <button {...rest} type={type} className={classes.filter(Boolean).join(' ')} aria-disabled={still || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (still) event.preventDefault();
        else onClick?.(event);
      }}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={size === 'small' ? 15 : 18} />}
      {children}
    </button>
  );
}
