import type { Texts } from '../../texts';
import type pt from '../pt/audit';

const en: Texts<typeof pt> = {
  title: 'Audit', filters: 'Filters of the audit trail', when: 'When', who: 'Who', what: 'What', target: 'To what', detail: 'Detail', address: 'Address',
  any: 'Any action', since: 'From (UTC)', until: 'Before (UTC)', none: 'No entries', clear: 'Clear the filters',
  action: {
    login: 'Signed in', logout: 'Signed out', senha_mudada: 'Changed the password', conta_criada: 'Made an account', conta_mudada: 'Changed an account', conta_removida: 'Removed an account',
    post_criado: 'Published a post', post_mudado: 'Changed a post', post_removido: 'Removed a post', entrega_reenviada: 'Replayed a delivery', entregas_reenviadas: 'Replayed deliveries',
    reenvio_criado: 'Began a replay', reenvio_cancelado: 'Cancelled a replay', fila_pausada: 'Paused the queue', fila_retomada: 'Resumed the queue',
    evento_de_teste: 'Sent a test event', corpo_lido: 'Read a raw body', leads_exportados: 'Exported leads', arquivo_enviado: 'Sent a file', arquivo_removido: 'Removed a file',
  },
};

export default en;
