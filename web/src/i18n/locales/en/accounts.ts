import type { Texts } from '../../texts';
import type pt from '../pt/accounts';

const en: Texts<typeof pt> = {
  title: 'Accounts',
  new: 'New account', newTitle: 'New account', editTitle: 'Change the account',
  name: 'Name', email: 'E-mail', role: 'Role', state: 'State', since: 'Since', actions: 'Actions', you: 'you',
  active: 'May sign in', isActive: 'Active', isInactive: 'Inactive',
  password: 'Password', newPassword: 'New password (blank: stays as it is)',
  create: 'Create the account', save: 'Save', created: 'Account created.', saved: 'Account saved.',
  endsSessions: 'Changing role, password or state ends the sessions of this account.',
  ownWarning: 'This is your own account: changing role, password or state ends your session.',
  editOne: 'Change the account of {{nome}}', removeOne: 'Remove the account of {{nome}}',
  remove: 'Remove', removed: 'Account removed.', removeTitle: 'Remove this account?',
  removeText: '{{nome}} ({{email}}) cannot sign in any more. This cannot be undone.',
  removeOwn: 'This is your own account ({{email}}): you are signed out at once and cannot sign in again. This cannot be undone.',
  own: {
    title: 'Change the password', text: 'Your sessions on other devices end. This one goes on.', current: 'Current password', next: 'New password',
    change: 'Change the password', changing: 'Changing…', changed: 'Password changed. Your other sessions have ended.',
  },
  signInAgain: 'Your account changed: sign in again.', removedOwn: 'Your account was removed.',
  roleHint: { leitor: 'Sees all, with personal data hidden.', operador: 'Sees all and acts: posts, deliveries, files.', admin: 'Looks after accounts and the audit trail, too.' },
  rule: { length: '12 to 128 characters', address: 'is not the e-mail address', varied: 'does not repeat the same', common: 'Walks along the keyboard and common passwords are refused. A phrase does well.', kept: '(kept)', open: '(not yet)' },
};

export default en;
