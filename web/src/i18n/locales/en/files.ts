import type { Texts } from '../../texts';
import type pt from '../pt/files';

const en: Texts<typeof pt> = {
  title: 'Files', send: 'Send files', dropHint: 'or drag them here, or paste', clearEnded: 'Clear what has ended',
  quota: '{{used}} of {{limit}} in use', emptyTitle: 'There are no files yet',
  download: 'Download', downloadOne: 'Download {{nome}}', remove: 'Remove', removeOne: 'Remove {{nome}}', removed: 'File removed.',
  removeTitle: 'Remove this file?', removeText: '“{{nome}}” is gone for everybody and this cannot be undone.', cancelOne: 'Cancel sending {{nome}}',
  upload: { waiting: 'waiting', sending: 'sending', done: 'sent', failed: 'was not sent', cancelled: 'cancelled' },
  error: { '413': 'The file is too large.', '415': 'Files of this type are not accepted.', '507': 'There is no space left for files.' },
};

export default en;
