import type { Texts } from '../../texts';
import type pt from '../pt/docs';

const en: Texts<typeof pt> = {
  title: 'The API',
  text: 'All that the API answers, with examples. “Try it out” calls this installation for real.',
  download: 'openapi.json',
  loading: 'Loading the reference…',
  english: 'The descriptions are in Portuguese.',
};

export default en;
