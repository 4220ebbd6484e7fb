import type { Texts } from '../../texts';
import type pt from '../pt/json';

const en: Texts<typeof pt> = {
  tree: 'Content as JSON',
  text: 'Content as text',
  items_one: '{{count}} item',
  items_other: '{{count}} items',
  more_one: '{{count}} more',
  more_other: '{{count}} more',
  moreText: 'Show more of the text',
  whole: 'show all {{tamanho}} characters',
  openAll: 'Open all',
  closeAll: 'Close all',
  find: 'Search for {{campo}} = {{valor}}',
};

export default en;
