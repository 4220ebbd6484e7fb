import type { Texts } from '../../texts';
import type pt from '../pt/events';

const en: Texts<typeof pt> = {
  title: 'Events',
  list: 'List of events',
  number: 'Event no. {{id}}',
  openRow: 'Open event no. {{id}}',
  col: { id: 'No.', what: 'What', entity: 'Page or account', state: 'State', when: 'When', delivery: 'Delivery' },
  emptyTitle: 'There are no events yet',
  emptyText: 'Each delivery that is processed brings one or more.',
  noneTitle: 'Nothing found',
  noneText: 'No event matches these filters.',
  new_one: '{{count}} new event',
  new_other: '{{count}} new events',
  newMore: 'More than {{count}} new events',
  back: 'All events',
  close: 'Close the event',
  gone: 'There is no such event',
  key: 'Key',
  subject: 'Subject',
  contact: 'Contact',
  happened: 'Happened',
  stored: 'Stored',
  delivery: 'Delivery',
  content: 'Content',
  noContent: 'The content of this event is not kept.',
  object: 'Object',
};

export default en;
